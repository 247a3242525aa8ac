/* figures.c - pareto-<metric>.svg and .png, drawn from one display list. */
#include <stdlib.h>

#include "coordinator/report/chart.h"
#include "coordinator/report/format.h"
#include "coordinator/report/label.h"
#include "coordinator/report/plot.h"
#include "coordinator/report/png.h"
#include "coordinator/report/svg.h"
#include "shared/base/file.h"

static int
save(struct buf *bytes, const char *dir, const char *metric, const char *extension,
     struct err *err)
{
    struct buf name = {0};

    label_file(&name, metric, extension);
    char *path = file_join(dir, buf_str(&name));
    const int rc = file_write(path, buf_str(bytes), bytes->len, err);
    free(path);
    buf_release(&name);
    return rc;
}

static int
write_figure(const json_t *report, const char *metric, const char *dir, struct err *err)
{
    struct buf svg = {0}, png = {0};
    struct display display;
    struct chart chart;
    int rc = -1;

    chart_init(&chart, report, metric);
    plot_draw(&display, &chart);
    svg_draw(&svg, &display, true);
    if (png_draw(&png, &display, err) == 0 && save(&svg, dir, metric, "svg", err) == 0
        && save(&png, dir, metric, "png", err) == 0)
        rc = 0;
    buf_release(&png);
    buf_release(&svg);
    display_release(&display);
    chart_release(&chart);
    return rc;
}

static int
write_figures(const json_t *report, const char *dir, struct err *err)
{
    json_t *metric;
    size_t i;

    json_array_foreach(json_object_get(report, "y"), i, metric)
    {
        if (write_figure(report, json_string_value(metric), dir, err) != 0)
            return -1;
    }
    return 0;
}

const struct format format_figures = {
    .name = "figures",
    .doc = "pareto-<metric>.svg and .png: accuracy against ReLUs",
    .write = write_figures,
};
