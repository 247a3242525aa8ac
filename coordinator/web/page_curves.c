/*
 * page_curves.c - what a job has measured on its way, a chart for each metric, as it
 * grows. In the API the points themselves.
 */
#include "coordinator/db/jobmetrics.h"
#include "coordinator/report/number.h"
#include "coordinator/web/linechart.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

enum { MAX_CHARTS = 24 };

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    return db_job_metrics(at->db, r->ids[0], out, err);
}

static void
title(struct buf *out, const json_t *doc)
{
    buf_printf(out, "Curves of job %lld", (long long)json_int(doc, "id", 0));
}

/* The newest point in words: what a chart says to those who cannot see it. */
static void
put_last(struct buf *out, const json_t *curve)
{
    const json_t *points = json_object_get(curve, "points");
    const json_t *last = json_array_get(points, json_array_size(points) - 1);
    const json_t *value = json_array_get(last, 1);

    buf_puts(out, "<span class=\"soft\"> ");
    if (json_is_number(value))
        number_metric(out, json_number_value(value), json_str(curve, "unit", ""));
    html_text(out, " ", json_str(curve, "unit", ""), " at step ");
    number_count(out, json_integer_value(json_array_get(last, 0)));
    buf_puts(out, "</span>");
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    const json_t *curves = json_object_get(doc, "curves");
    json_t *curve;
    size_t i;

    (void)site;
    buf_puts(out, "<section data-part=\"curves\"><h2>Curves</h2>\n");
    if (json_array_size(curves) > 0)
        linechart_form(out, r);
    buf_puts(out, "<div class=\"plots\">\n");
    json_array_foreach(curves, i, curve)
    {
        const struct line line = {"", json_object_get(curve, "points")};
        struct buf last = {0};
        if (i == MAX_CHARTS)
            break;
        put_last(&last, curve);
        linechart(out, json_str(curve, "name", ""), buf_str(&last), &line, 1,
                  linechart_steps(r));
        buf_release(&last);
    }
    buf_puts(out, json_array_size(curves) == 0
                      ? "<p class=\"soft\">Nothing was measured yet.</p>\n</div>\n"
                      : "</div>\n");
    mark_part_end(out);
}

const struct page page_curves = {
    .pattern = "/jobs/#/curves",
    .menu = "Jobs",
    .load = load,
    .title = title,
    .draw = draw,
};
