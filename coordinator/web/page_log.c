/* page_log.c - a job's log: its end in the page, all of it as text. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/number.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"
#include "shared/base/mem.h"

enum { TAIL = 64 * 1024 };

static int
load_from(json_t **out, const struct moment *at, const struct request *r, int64_t tail,
          struct err *err)
{
    const int64_t attempt = request_number(r, "attempt", 0, 0, INT64_MAX);
    int64_t size;
    char *text;

    if (db_log_size(at->db, r->ids[0], attempt, &size, err) != 0)
        return -1;
    const int64_t start = size > tail ? size - tail : 0;
    const int64_t from = request_number(r, "from", start, 0, INT64_MAX);
    if (db_log(at->db, r->ids[0], attempt, from, &text, err) != 0)
        return -1;
    /* Cut somewhere, so perhaps within a character: it begins with a line. */
    const char *line = from > 0 && from == start ? strchr(text, '\n') : NULL;
    const char *shown = line != NULL ? line + 1 : text;
    while (from > 0 && (*shown & 0xC0) == 0x80)
        shown++;
    *out = json_pack("{s:I, s:I, s:I, s:I, s:s}", "id", (json_int_t)r->ids[0],
                     "attempt", (json_int_t)attempt, "size", (json_int_t)size, "from",
                     (json_int_t)(from + (shown - text)), "text", shown);
    free(text);
    return *out != NULL ? 0 : err_set(err, ERR_DATA, "the log is not UTF-8");
}

static int
load_end(json_t **out, const struct moment *at, const struct request *r,
         struct err *err)
{
    return load_from(out, at, r, TAIL, err);
}

static int
load_all(json_t **out, const struct moment *at, const struct request *r,
         struct err *err)
{
    return load_from(out, at, r, INT64_MAX, err);
}

static void
title(struct buf *out, const json_t *doc)
{
    buf_printf(out, "Log of job %lld", (long long)json_int(doc, "id", 0));
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const char *text = json_str(doc, "text", "");
    struct buf query = {0};

    (void)site;
    buf_puts(out, "<section data-part=\"log\"><h2>Log</h2>\n");
    if (text[0] == '\0') {
        buf_puts(out, "<p class=\"soft\">Nothing was written yet.</p>\n");
    } else {
        html_text(out, "<pre class=\"log\" tabindex=\"0\" data-end>", text, "</pre>\n");
        request_query(&query, r, "from", "");
        buf_printf(out, "<p class=\"soft\"><a href=\"/jobs/%lld/log/text",
                   (long long)json_int(doc, "id", 0));
        html_text(out, "", buf_str(&query), "\">All of it</a>, ");
        mark_bytes(out, json_num(doc, "size", 0));
        buf_puts(out,
                 json_int(doc, "from", 0) > 0 ? "; this is its end.</p>\n" : ".</p>\n");
    }
    buf_release(&query);
    mark_part_end(out);
}

static void
draw_text(struct buf *out, const json_t *doc, const struct request *r,
          const struct site *site)
{
    (void)r;
    (void)site;
    buf_puts(out, json_str(doc, "text", ""));
}

const struct page page_log = {
    .pattern = "/jobs/#/log",
    .menu = "Jobs",
    .load = load_end,
    .title = title,
    .draw = draw,
};

const struct page page_log_text = {
    .pattern = "/jobs/#/log/text",
    .type = "text/plain; charset=utf-8",
    .menu = "Jobs",
    .load = load_all,
    .draw = draw_text,
};
