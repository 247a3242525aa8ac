/* page_log.c - the end of a job's log. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"
#include "shared/base/mem.h"

enum { TAIL = 64 * 1024 };

/* From the beginning of a line, where there is one. */
static const char *
tail_of(const char *text)
{
    const size_t n = strlen(text);
    const char *start = n > TAIL ? text + n - TAIL : text;
    const char *line = n > TAIL ? strchr(start, '\n') : NULL;

    return line != NULL ? line + 1 : start;
}

static int
load(json_t **out, struct db *db, const struct request *r, struct err *err)
{
    const int64_t attempt = request_number(r, "attempt", 0, 0, INT64_MAX);
    const int64_t from = request_number(r, "from", 0, 0, INT64_MAX);
    char *text;

    if (db_log(db, r->ids[0], attempt, from, &text, err) != 0)
        return -1;
    *out = json_pack("{s:I, s:I, s:I, s:s}", "id", (json_int_t)r->ids[0], "attempt",
                     (json_int_t)attempt, "size", (json_int_t)strlen(text), "text",
                     tail_of(text));
    free(text);
    return *out != NULL ? 0 : err_set(err, ERR_DATA, "the log is not UTF-8");
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

    (void)r;
    (void)site;
    buf_puts(out, "<section data-part=\"log\"><h2>Log</h2>\n");
    if (text[0] == '\0')
        buf_puts(out, "<p class=\"soft\">Nothing was written yet.</p>\n");
    else
        html_text(out, "<pre class=\"log\" tabindex=\"0\" data-end>", text, "</pre>\n");
    mark_part_end(out);
}

const struct page page_log = {
    .pattern = "/jobs/#/log",
    .menu = "Jobs",
    .load = load,
    .title = title,
    .draw = draw,
};
