/* figure_pareto.c - one Pareto plot for every facet and metric that was asked for. */
#include "coordinator/report/chart.h"
#include "coordinator/report/figure.h"
#include "coordinator/report/label.h"
#include "coordinator/report/plot.h"

static void
list(json_t *report)
{
    json_t *facet, *metric;
    size_t i, k;

    json_array_foreach(json_object_get(report, "facets"), i, facet)
    {
        json_array_foreach(json_object_get(report, "y"), k, metric)
        {
            const char *name = json_string_value(metric);
            figure_add(report, "pareto", "pareto", name, i, "pareto",
                       label_metric(name));
        }
    }
}

static void
draw(struct display *d, const json_t *report, const json_t *figure)
{
    struct chart chart;

    chart_init(&chart, report, figure_facet(report, figure),
               json_str(figure, "metric", ""));
    plot_draw(d, &chart);
    chart_release(&chart);
}

const struct figure_kind figure_pareto = {
    .name = "pareto",
    .list = list,
    .draw = draw,
};
