/*
 * figure_overlap.c - how much the masks of two settings have in common: the ReLUs that
 * both keep over those that any keeps (as BCD's figure 6). Every square has its number.
 */
#include <math.h>

#include "coordinator/report/figure.h"
#include "coordinator/report/models.h"

static const double width = 640, left = 230, square_max = 56, text_size = 12;
enum { MODELS_MAX = 12 };

static void
list(json_t *report)
{
    const size_t n = json_array_size(json_object_get(report, "facets"));

    for (size_t i = 0; i < n; i++) {
        json_t *models = models_reduced(report, i);
        if (json_array_size(models) > 1
            && json_array_size(json_object_get(report, "overlaps")) > 0)
            figure_add(report, "overlap", "overlap", NULL, i, "layers",
                       "Overlap of masks (intersection over union)");
        json_decref(models);
    }
}

/* Of two models; 1 of a model with itself, NaN when it is not known. */
static double
iou_of(const json_t *report, json_int_t a, json_int_t b)
{
    json_t *pair;
    size_t i;

    if (a == b)
        return 1;
    json_array_foreach(json_object_get(report, "overlaps"), i, pair)
    {
        const json_int_t p = json_int(pair, "a", -1), q = json_int(pair, "b", -1);
        if ((p == a && q == b) || (p == b && q == a))
            return json_num(pair, "iou", NAN);
    }
    return NAN;
}

static void
draw_square(struct display *d, double x, double y, double side, double iou)
{
    const struct display_style fill = {.fill = DISPLAY_BLUE,
                                       .opacity = 0.06 + 0.54 * iou};
    const struct display_point box[] = {{x + 1, y + 1},
                                        {x + side - 1, y + 1},
                                        {x + side - 1, y + side - 1},
                                        {x + 1, y + side - 1}};
    struct buf text = {0};

    if (isnan(iou))
        return;
    display_lines(d, box, sizeof box / sizeof box[0], fill);
    buf_printf(&text, "%.2f", iou);
    display_text(d, x + side / 2, y + side / 2 + 4.2, text_size, DISPLAY_MIDDLE, false,
                 0, buf_str(&text));
    buf_release(&text);
}

static void
draw_row(struct display *d, const json_t *report, const json_t *models, size_t row,
         double top, double side)
{
    const json_int_t at = json_integer_value(json_array_get(models, row));
    const json_t *model = json_array_get(json_object_get(report, "models"), (size_t)at);
    const double y = top + side * (double)row;
    struct buf label = {0}, number = {0};

    buf_printf(&label, "%zu: ", row + 1);
    models_label(&label, report, model);
    display_text(d, left - 10, y + side / 2 + 4.2, text_size, DISPLAY_END, false, 0,
                 display_fit(d, buf_str(&label), text_size, false, left - 22));
    buf_printf(&number, "%zu", row + 1);
    display_text(d, left + side * ((double)row + 0.5), top - 8, text_size,
                 DISPLAY_MIDDLE, false, 0, buf_str(&number));
    for (size_t k = 0; k <= row; k++)
        draw_square(d, left + side * (double)k, y, side,
                    iou_of(report, at, json_integer_value(json_array_get(models, k))));
    buf_release(&number);
    buf_release(&label);
}

static void
draw(struct display *d, const json_t *report, const json_t *figure)
{
    json_t *models = models_reduced(report, (size_t)json_int(figure, "facet", 0));
    const size_t n =
        json_array_size(models) < MODELS_MAX ? json_array_size(models) : MODELS_MAX;
    const double side = fmin(square_max, (width - left - 20) / (double)n);

    display_init(d, width, side, json_str(figure, "title", ""));
    const double top = figure_head(d, report, figure) + 24;
    d->height = top + side * (double)n + 16;
    for (size_t i = 0; i < n; i++)
        draw_row(d, report, models, i, top, side);
    json_decref(models);
}

const struct figure_kind figure_overlap = {
    .name = "overlap",
    .list = list,
    .draw = draw,
};
