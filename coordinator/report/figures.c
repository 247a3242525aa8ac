/* figures.c - every figure as SVG, PNG and PDF, drawn from one display list. */
#include <stdlib.h>

#include "coordinator/report/canvas.h"
#include "coordinator/report/figure.h"
#include "coordinator/report/format.h"
#include "coordinator/report/svg.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

static int
draw_svg(struct buf *out, const struct display *d, struct err *err)
{
    (void)err;
    svg_draw(out, d, true);
    return 0;
}

static const struct {
    const char *extension;
    int (*draw)(struct buf *out, const struct display *d, struct err *err);
} writers[] = {{"svg", draw_svg}, {"png", canvas_png}, {"pdf", canvas_pdf}};

static int
write_figure(const struct display *d, const char *dir, const char *name,
             struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof writers / sizeof writers[0]; i++) {
        char *path = xasprintf("%s/%s.%s", dir, name, writers[i].extension);
        struct buf bytes = {0};
        rc = writers[i].draw(&bytes, d, err);
        if (rc == 0)
            rc = file_write(path, buf_str(&bytes), bytes.len, err);
        buf_release(&bytes);
        free(path);
    }
    return rc;
}

static int
write_figures(const json_t *report, const char *dir, struct err *err)
{
    json_t *figure;
    size_t i;

    json_array_foreach(json_object_get(report, "figures"), i, figure)
    {
        struct display display;
        figure_draw(&display, report, figure);
        const int rc =
            write_figure(&display, dir, json_str(figure, "name", "figure"), err);
        display_release(&display);
        if (rc != 0)
            return -1;
    }
    return 0;
}

const struct format format_figures = {
    .name = "figures",
    .doc = "every figure as .svg, .png and .pdf",
    .write = write_figures,
};
