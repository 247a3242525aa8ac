/*
 * figure_norms.c - running mean and variance of the last batch norm, a mark for each
 * channel, a colour for each path (as RLNet's figure 2): whether clean and adversarial
 * images have statistics of their own.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/report/figure.h"
#include "coordinator/report/models.h"
#include "coordinator/report/scale.h"

static const double width = 640, height = 420, left = 62, right = 20, bottom = 50;
static const double text_size = 12, radius = 2.6;

static const struct {
    const char *name, *words;
} paths[] = {{"BN_c", "clean"},
             {"BN_r", "augmented"},
             {"BN_a", "adversarial"},
             {"BN", "all images"}};

/* The facet's first model with more than one path, or -1. */
static json_int_t
model_of(const json_t *report, size_t facet)
{
    json_t *models = models_reduced(report, facet), *index;
    json_int_t found = -1;
    size_t i;

    json_array_foreach(models, i, index)
    {
        const json_t *model = json_array_get(json_object_get(report, "models"),
                                             (size_t)json_integer_value(index));
        const json_t *norm = json_object_get(model, "norm");
        if (found < 0 && json_array_size(json_object_get(norm, "paths")) > 1)
            found = json_integer_value(index);
    }
    json_decref(models);
    return found;
}

static void
list(json_t *report)
{
    const size_t n = json_array_size(json_object_get(report, "facets"));

    for (size_t i = 0; i < n; i++)
        if (model_of(report, i) >= 0)
            figure_add(report, "norms", "norms", NULL, i, "norms",
                       "Statistics of the last batch norm");
}

static double
value_at(const json_t *path, const char *key, size_t channel)
{
    return json_number_value(json_array_get(json_object_get(path, key), channel));
}

static void
find_range(struct scale *s, const json_t *all, const char *key, int ticks)
{
    double lo = INFINITY, hi = -INFINITY;
    json_t *path;
    size_t i;

    json_array_foreach(all, i, path)
    {
        const size_t n = json_array_size(json_object_get(path, key));
        for (size_t k = 0; k < n; k++) {
            lo = fmin(lo, value_at(path, key, k));
            hi = fmax(hi, value_at(path, key, k));
        }
    }
    if (lo > hi)
        lo = hi = 0;
    scale_linear(s, lo, hi, 0.05, ticks, -INFINITY, INFINITY);
}

static void
draw_axes(struct display *d, const struct scale *x, const struct scale *y)
{
    static const struct display_style grid = {
        .stroke = DISPLAY_INK, .width = 1, .opacity = 0.14};
    char text[32];

    for (size_t i = 0; i < y->n_ticks; i++) {
        const double at = scale_at(y, y->ticks[i]);
        snprintf(text, sizeof text, "%.4g", y->ticks[i]);
        display_line(d, x->from, at, x->to, at, grid);
        display_text(d, x->from - 6, at + 4.2, text_size, DISPLAY_END, false, 0, text);
    }
    for (size_t i = 0; i < x->n_ticks; i++) {
        const double at = scale_at(x, x->ticks[i]);
        snprintf(text, sizeof text, "%.4g", x->ticks[i]);
        display_line(d, at, y->from, at, y->to, grid);
        display_text(d, at, y->from + 18, text_size, DISPLAY_MIDDLE, false, 0, text);
    }
    display_text(d, (x->from + x->to) / 2, y->from + 38, text_size, DISPLAY_MIDDLE,
                 false, 0.72, "running mean of a channel");
    display_text(d, 12, y->to - 10, text_size, DISPLAY_START, false, 0.72,
                 "running variance");
}

/* One path: its name in the legend at *legend_x, and its channels. */
static void
draw_path(struct display *d, const json_t *path, size_t series, double *legend_x,
          double legend_y, const struct scale *x, const struct scale *y)
{
    const enum display_color color = display_series_color(series);
    const struct display_style style = {.stroke = color, .fill = color, .opacity = 0.7};
    const size_t n = json_array_size(json_object_get(path, "mean"));
    const char *words = json_str(path, "name", "");

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (strcmp(paths[i].name, json_str(path, "name", "")) == 0)
            words = paths[i].words;
    display_marker(d, *legend_x + 6, legend_y - 4, 4.2, display_series_marker(series),
                   style, NULL);
    display_text(d, *legend_x + 18, legend_y, text_size, DISPLAY_START, false, 0,
                 words);
    *legend_x += 40 + display_text_width(words, text_size, false);
    display_group(d, style, words, NULL);
    for (size_t i = 0; i < n; i++)
        display_marker(d, scale_at(x, value_at(path, "mean", i)),
                       scale_at(y, value_at(path, "var", i)), radius,
                       display_series_marker(series), style, NULL);
    display_group_end(d);
}

static void
draw(struct display *d, const json_t *report, const json_t *figure)
{
    const json_int_t at = model_of(report, (size_t)json_int(figure, "facet", 0));
    const json_t *model = json_array_get(json_object_get(report, "models"), (size_t)at);
    const json_t *norm = json_object_get(model, "norm");
    const json_t *all = json_object_get(norm, "paths");
    struct scale x = {0}, y = {0};
    double legend_x = 12;
    struct buf words = {0};
    json_t *path;
    size_t i;

    display_init(d, width, height, json_str(figure, "title", ""));
    const double top = figure_head(d, report, figure) + 8;
    buf_printf(&words, "%s of ", json_str(norm, "name", ""));
    models_label(&words, report, model);
    find_range(&x, all, "mean", 7);
    find_range(&y, all, "var", 6);
    x.from = left;
    x.to = width - right;
    y.from = height - bottom;
    y.to = top + 50;
    draw_axes(d, &x, &y);
    json_array_foreach(all, i, path)
    {
        draw_path(d, path, i, &legend_x, top + 14, &x, &y);
    }
    display_text(
        d, legend_x + 8, top + 14, text_size, DISPLAY_START, false, 0.72,
        display_fit(d, buf_str(&words), text_size, false, width - legend_x - 20));
    buf_release(&words);
    scale_release(&x);
    scale_release(&y);
}

const struct figure_kind figure_norms = {
    .name = "norms",
    .list = list,
    .draw = draw,
};
