/*
 * figure_layers.c - where the ReLUs are kept: bars for every layer, a panel for each
 * setting, all on one scale (as BCD's figure 7).
 */
#include <math.h>

#include "coordinator/report/figure.h"
#include "coordinator/report/models.h"
#include "coordinator/report/number.h"
#include "coordinator/report/scale.h"

static const double width = 640, panel_height = 170, left = 46, right = 14;
static const double above = 26, below = 34, text_size = 12;
enum { PANELS_MAX = 6, COLUMNS = 2 };

struct bars {
    struct display *d;
    const json_t *report;
    struct scale y;
    double x, top, w; /* of the panel's box */
};

static void
list(json_t *report)
{
    const size_t n = json_array_size(json_object_get(report, "facets"));

    for (size_t i = 0; i < n; i++) {
        json_t *models = models_reduced(report, i);
        if (json_array_size(models) > 0)
            figure_add(report, "layers", "layers", NULL, i, "layers",
                       "Share of each layer's ReLUs that is kept");
        json_decref(models);
    }
}

static double
share(const json_t *layer)
{
    const double all = json_num(layer, "relus", 0);

    return all > 0 ? 100 * json_num(layer, "kept", 0) / all : 0;
}

static double
largest_share(const json_t *report, const json_t *indices)
{
    double most = 0;
    json_t *index, *layer;
    size_t i, k;

    json_array_foreach(indices, i, index)
    {
        const json_t *model = json_array_get(json_object_get(report, "models"),
                                             (size_t)json_integer_value(index));
        json_array_foreach(json_object_get(model, "layers"), k, layer)
        {
            most = fmax(most, share(layer));
        }
    }
    return most;
}

static void
draw_axes(const struct bars *b, const char *title, size_t n_layers)
{
    static const struct display_style grid = {
        .stroke = DISPLAY_INK, .width = 1, .opacity = 0.14};
    struct buf text = {0};

    for (size_t i = 0; i < b->y.n_ticks; i++) {
        const double y = scale_at(&b->y, b->y.ticks[i]);
        display_line(b->d, b->x, y, b->x + b->w, y, grid);
        buf_clear(&text);
        buf_printf(&text, "%g%s", fabs(b->y.ticks[i]),
                   i + 1 == b->y.n_ticks ? " %" : "");
        display_text(b->d, b->x - 5, y + 4.2, 11.5, DISPLAY_END, false, 0,
                     buf_str(&text));
    }
    display_text(b->d, b->x, b->top - 9, text_size, DISPLAY_START, true, 0,
                 display_fit(b->d, title, text_size, true, b->w));
    for (size_t i = 0; i < n_layers; i++) {
        const size_t every = (n_layers + 9) / 10;
        if (i % every != 0)
            continue;
        buf_clear(&text);
        buf_printf(&text, "%zu", i + 1);
        display_text(b->d, b->x + b->w * ((double)i + 0.5) / (double)n_layers,
                     b->y.from + 16, 11.5, DISPLAY_MIDDLE, false, 0, buf_str(&text));
    }
    buf_release(&text);
}

static void
draw_bar(const struct bars *b, const json_t *layer, size_t i, size_t n)
{
    static const struct display_style fill = {.fill = DISPLAY_BLUE};
    const double step = b->w / (double)n, gap = step * 0.15;
    const double x1 = b->x + step * (double)i + gap, x2 = x1 + step - 2 * gap;
    const double y = scale_at(&b->y, share(layer)), base = b->y.from;
    const struct display_point box[] = {{x1, base}, {x1, y}, {x2, y}, {x2, base}};
    struct buf tip = {0};

    buf_printf(&tip, "layer %zu: ", i + 1);
    number_count(&tip, json_int(layer, "kept", 0));
    buf_puts(&tip, " of ");
    number_count(&tip, json_int(layer, "relus", 0));
    display_group(b->d, fill, buf_str(&tip), NULL);
    display_lines(b->d, box, sizeof box / sizeof box[0], fill);
    display_group_end(b->d);
    buf_release(&tip);
}

static void
draw_panel(struct bars *b, const json_t *model)
{
    const json_t *layers = json_object_get(model, "layers");
    const size_t n = json_array_size(layers);
    struct buf title = {0};
    json_t *layer;
    size_t i;

    b->y.from = b->top + panel_height - above - below;
    b->y.to = b->top;
    models_label(&title, b->report, model);
    draw_axes(b, buf_str(&title), n);
    json_array_foreach(layers, i, layer)
    {
        draw_bar(b, layer, i, n);
    }
    buf_release(&title);
}

static void
draw(struct display *d, const json_t *report, const json_t *figure)
{
    json_t *models = models_reduced(report, (size_t)json_int(figure, "facet", 0));
    const size_t n =
        json_array_size(models) < PANELS_MAX ? json_array_size(models) : PANELS_MAX;
    const size_t columns = n < COLUMNS ? n : COLUMNS;
    const double w = width / (double)columns;
    struct bars b = {.d = d, .report = report, .w = w - left - right};

    display_init(d, width, panel_height, json_str(figure, "title", ""));
    const double top = figure_head(d, report, figure);
    const size_t rows = (n + columns - 1) / columns;
    d->height = top + panel_height * (double)rows + 16;
    scale_linear(&b.y, 0, largest_share(report, models), 0, 4, 0, 100);
    for (size_t i = 0; i < n; i++) {
        const size_t at = (size_t)json_integer_value(json_array_get(models, i));
        const size_t row = i / columns;
        b.x = w * (double)(i % columns) + left;
        b.top = top + panel_height * (double)row + above;
        draw_panel(&b, json_array_get(json_object_get(report, "models"), at));
    }
    display_text(d, width / 2, d->height - 8, text_size, DISPLAY_MIDDLE, false, 0.72,
                 "layer, in the order of execution");
    scale_release(&b.y);
    json_decref(models);
}

const struct figure_kind figure_layers = {
    .name = "layers",
    .list = list,
    .draw = draw,
};
