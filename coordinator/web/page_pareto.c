/*
 * page_pareto.c - the Pareto plots of a sweep as they are now, drawn by the report. The
 * document is the report's, without what only finished reports need.
 */
#include <string.h>

#include "coordinator/report/figure.h"
#include "coordinator/report/report.h"
#include "coordinator/report/svg.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"

static int
load(json_t **out, struct db *db, const struct request *r, struct err *err)
{
    json_t *rows;

    if (db_web_pareto(db, r->ids[0], &rows, err) != 0)
        return -1;
    const int rc = report_build(out, rows, err);
    json_decref(rows);
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
