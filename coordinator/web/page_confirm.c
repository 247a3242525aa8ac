/*
 * page_confirm.c - asks before anything is changed: what, for which jobs, and how many
 * there are. The form goes to /actions with the same filter.
 */
#include <string.h>

#include "coordinator/report/number.h"
#include "coordinator/web/filter.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

static int
load(json_t **out, struct db *db, const struct request *r, struct err *err)
{
    const char *action = request_get(r, "action");
    struct db_web_filter filter;
    struct arena mem = {0};
    int rc = -1;

    if (strcmp(action, "retry") != 0 && strcmp(action, "cancel") != 0)
        return err_set(err, ERR_USAGE, "jobs can be retried or cancelled");
    if (filter_read(&filter, &mem, r, 0, err) == 0
        && db_web_actions(db, &filter, request_number(r, "job", 0, 1, INT64_MAX),
                          action, out, err)
               == 0)
        rc = 0;
    arena_release(&mem);
    return rc;
}

static void
title(struct buf *out, const json_t *doc)
{
    (void)doc;
    buf_puts(out, "Sure?");
}

static void
put_hidden(struct buf *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    html_text(out, "<input type=\"hidden\" name=\"", name, "\" ");
    html_text(out, "value=\"", value, "\">");
}

static void
put_form(struct buf *out, const json_t *doc, const struct request *r,
         const struct site *site)
{
    const bool cancel = strcmp(request_get(r, "action"), "cancel") == 0;

    buf_puts(out, "<form method=\"post\" action=\"/actions\">");
    put_hidden(out, "form", site->guard.form);
    for (size_t i = 0; i < r->n_fields; i++)
        put_hidden(out, r->fields[i].name, r->fields[i].value);
    buf_printf(out, "<button class=\"%s\">%s ", cancel ? "danger" : "",
               cancel ? "Cancel" : "Retry");
    number_count(out, json_int(doc, "count", 0));
    buf_puts(out,
             " jobs</button> <a class=\"button\" href=\"/\">Leave it</a></form>\n");
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const bool cancel = strcmp(request_get(r, "action"), "cancel") == 0;

    buf_printf(out, "<h1>%s</h1>\n<p class=\"lead\">",
               cancel ? "Cancel jobs?" : "Retry jobs?");
    number_count(out, json_int(doc, "matching", 0));
    buf_puts(out, " jobs match: ");
    mark_counts(out, json_object_get(doc, "states"));
    buf_puts(out, ".</p>\n<p>");
    number_count(out, json_int(doc, "count", 0));
    buf_puts(out, cancel
                      ? " of them are not finished and will be cancelled; those that "
                        "run are asked to stop and keep a checkpoint.</p>\n"
                      : " of them ended badly and will be tried again with fresh "
                        "budgets, as will what waits for them.</p>\n");
    if (json_int(doc, "count", 0) > 0)
        put_form(out, doc, r, site);
    else
        buf_puts(out, "<p><a class=\"button\" href=\"/\">Back</a></p>\n");
}

const struct page page_confirm = {
    .pattern = "/confirm",
    .menu = "Jobs",
    .now = true,
    .load = load,
    .title = title,
    .draw = draw,
};
