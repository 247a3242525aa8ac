/*
 * page_confirm.c - asks before anything is changed: what, for which jobs, and how many
 * there are. The form goes to /actions with the same filter.
 */
#include <string.h>

#include "coordinator/report/number.h"
#include "coordinator/web/deed.h"
#include "coordinator/web/filter.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    const struct deed *deed;
    struct db_web_filter filter;
    struct arena mem = {0};
    json_t *states;
    int rc = -1;

    if (deed_find(&deed, request_get(r, "action"), err) == 0
        && filter_read(&filter, &mem, r, 0, err) == 0
        && db_web_states(at->db, &filter, &states, err) == 0) {
        *out = json_pack("{s:s, s:I, s:I, s:o}", "action", deed->name, "matching",
                         (json_int_t)mark_total(states), "count",
                         (json_int_t)deed_count(deed, states), "states", states);
        rc = 0;
    }
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

/* What else the deed needs is asked here, in sight. */
static bool
is_kept(const char *field)
{
    static const char *const kept[] = {"action", "sweep", "state", "stage",
                                       "cause",  "where", "job",   NULL};

    for (const char *const *name = kept; *name != NULL; name++)
        if (strcmp(field, *name) == 0)
            return true;
    return false;
}

static void
put_form(struct buf *out, const struct deed *deed, const json_t *doc,
         const struct request *r, const struct site *site)
{
    buf_puts(out, "<form method=\"post\" action=\"/actions\">");
    put_hidden(out, "form", site->guard.form);
    for (size_t i = 0; i < r->n_fields; i++)
        if (is_kept(r->fields[i].name))
            put_hidden(out, r->fields[i].name, r->fields[i].value);
    if (deed->ask != NULL)
        deed->ask(out, json_object_get(doc, "states"));
    buf_printf(out, "<button class=\"%s\">%s ", deed->is_dangerous ? "danger" : "",
               deed->label);
    number_count(out, json_int(doc, "count", 0));
    buf_puts(out,
             " jobs</button> <a class=\"button\" href=\"/\">Leave it</a></form>\n");
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const json_t *states = json_object_get(doc, "states");
    const struct deed *deed;
    struct err err;

    if (deed_find(&deed, json_str(doc, "action", ""), &err) != 0)
        return; /* load has found it */
    buf_printf(out, "<h1>%s jobs?</h1>\n<p class=\"lead\">", deed->label);
    number_count(out, json_int(doc, "matching", 0));
    buf_puts(out, " jobs match: ");
    mark_counts(out, states);
    buf_puts(out, ".</p>\n<p>");
    number_count(out, json_int(doc, "count", 0));
    buf_printf(out, " of them %s.</p>\n", deed->effect);
    if (json_int(doc, "count", 0) > 0
        || (deed->ask != NULL && json_int(states, "leased", 0) > 0))
        put_form(out, deed, doc, r, site);
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
