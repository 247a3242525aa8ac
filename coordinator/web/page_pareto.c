/*
 * page_pareto.c - the Pareto plots of a sweep as they are now, drawn by the report. The
 * document is the report's over settings, without what needs single cells.
 */
#include <string.h>

#include "coordinator/report/figure.h"
#include "coordinator/report/report.h"
#include "coordinator/report/svg.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"
#include "coordinator/web/points.h"

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    const struct measures *measures;
    json_t *texts, *rows = NULL;
    struct mirror_sweep *s;

    if (moment_sweep(at, r->ids[0], &texts, &s, err) != 0)
        return -1;
    int rc = measures_find(at->mirror, s, at->db, json_object_get(texts, "report"),
                           &measures, err);
    if (rc == 0)
        rows = points_rows(texts, s, measures);
    mirror_done(at->mirror);
    if (rc == 0)
        rc = report_build(out, rows, err);
    json_decref(rows);
    json_decref(texts);
    if (rc == 0)
        json_object_set_new(*out, "id", json_integer(r->ids[0]));
    return rc;
}

static void
title(struct buf *out, const json_t *doc)
{
    buf_printf(out, "%s: Pareto fronts", json_str(doc, "name", ""));
}

static void
put_figure(struct buf *out, const json_t *doc, const json_t *figure)
{
    struct display display;

    buf_puts(out, "<figure>");
    figure_draw(&display, doc, figure);
    svg_draw(out, &display, false);
    display_release(&display);
    buf_puts(out, "</figure>\n");
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    json_t *figure;
    int n = 0;
    size_t i;

    (void)r;
    (void)site;
    buf_puts(out, "<section data-part=\"pareto\"><h2>Pareto fronts</h2>\n"
                  "<div class=\"plots\">\n");
    json_array_foreach(json_object_get(doc, "figures"), i, figure)
    {
        if (strcmp(json_str(figure, "kind", ""), "pareto") != 0)
            continue;
        put_figure(out, doc, figure);
        n++;
    }
    buf_puts(out, "</div>\n");
    if (n == 0)
        buf_puts(out, "<p class=\"soft\">No cell is finished yet.</p>\n");
    html_text(out,
              "<p class=\"soft\">Tables, PDF and all other figures: <code>relusweep "
              "report ",
              json_str(doc, "name", ""), "</code></p></section>\n");
}

const struct page page_pareto = {
    .pattern = "/sweeps/#/pareto",
    .menu = "Sweeps",
    .load = load,
    .title = title,
    .draw = draw,
};
