/* page_sweeps.c - all sweeps: how far each one is. */
#include <stdlib.h>

#include "coordinator/report/number.h"
#include "coordinator/web/counts.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

/* The mirror is taken. */
static int
add_counts(json_t *sweep, const struct moment *at, struct err *err)
{
    struct mirror_sweep *s;

    if (mirror_sweep(at->mirror, at->db, json_int(sweep, "id", 0),
                     json_int(sweep, "revision", 0), &s, err)
        != 0)
        return -1;
    counts_add(sweep, at->mirror, s);
    return 0;
}

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    json_t *sweep;
    size_t i;
    int rc = 0;

    (void)r;
    if (db_web_sweeps(at->db, out, err) != 0)
        return -1;
    if (mirror_take(at->mirror, at->db, at->name, err) == 0) {
        json_array_foreach(json_object_get(*out, "sweeps"), i, sweep)
        {
            rc = rc == 0 ? add_counts(sweep, at, err) : rc;
        }
        mirror_done(at->mirror);
        if (rc == 0)
            return 0;
    }
    json_decref(*out);
    *out = NULL;
    return -1;
}

static void
title(struct buf *out, const json_t *doc)
{
    (void)doc;
    buf_puts(out, "Sweeps");
}

static void
put_row(struct buf *out, const json_t *sweep)
{
    const json_t *jobs = json_object_get(sweep, "jobs");
    struct buf hours = {0};

    buf_puts(out, "<tr><th scope=\"row\">");
    mark_link(out, "/sweeps", json_int(sweep, "id", 0), json_str(sweep, "name", ""));
    html_text(out, "<p class=\"soft\">", json_str(sweep, "title", ""), "</p></th>");
    buf_puts(out, "<td class=\"wide\">");
    mark_bar(out, jobs);
    buf_puts(out, "<span class=\"soft\">");
    mark_counts(out, jobs);
    buf_puts(out, json_is_true(json_object_get(sweep, "cancelled"))
                      ? " · the sweep is cancelled</span></td>"
                      : "</span></td>");
    mark_number(out, json_int(sweep, "cells", 0));
    number_seconds(&hours, 3600 * json_num(sweep, "hours", 0));
    html_text(out, "<td class=\"n\">", buf_str(&hours), "</td><td>");
    mark_time(out, json_str(sweep, "submitted_at", ""));
    buf_puts(out, "</td></tr>\n");
    buf_release(&hours);
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const json_t *sweeps = json_object_get(doc, "sweeps");
    json_t *sweep;
    size_t i;

    (void)r;
    (void)site;
    buf_puts(out, "<h1>Sweeps</h1>\n<div data-part=\"sweeps\">\n");
    if (json_array_size(sweeps) == 0) {
        buf_puts(out, "<p class=\"lead\">There is no sweep yet. <code>relusweep submit "
                      "SWEEP.yaml</code> brings one in.</p></div>\n");
        return;
    }
    buf_puts(out,
             "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th "
             "scope=\"col\">Sweep</th><th scope=\"col\">Jobs</th><th scope=\"col\" "
             "class=\"n\">Cells</th><th scope=\"col\" class=\"n\">Computed</th><th "
             "scope=\"col\">Submitted</th></tr></thead><tbody>\n");
    json_array_foreach(sweeps, i, sweep)
    {
        put_row(out, sweep);
    }
    buf_puts(out, "</tbody></table></div></div>\n");
}

const struct page page_sweeps = {
    .pattern = "/sweeps",
    .menu = "Sweeps",
    .load = load,
    .title = title,
    .draw = draw,
};

const struct page page_home = {
    .pattern = "/",
    .menu = "Sweeps",
    .load = load,
    .title = title,
    .draw = draw,
};
