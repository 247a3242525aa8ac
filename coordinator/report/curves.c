/* curves.c - published curves on a plot. Draws what the chart has, compares nothing. */
#include "coordinator/report/curves.h"

#include <math.h>
#include <stdlib.h>

#include "shared/base/mem.h"

static const double mark_radius = 4.6, name_size = 11.5, grey = 0.62;

/* Spokes of the marks, in turns from the right; a pair of opposite ones is a stroke. */
enum { SPOKES_MAX = 6 };
static const struct {
    double first;
    int spokes;
} marks[] = {{0.125, 4}, {0, 4}, {0.25, 6}, {0.25, 3}, {0.75, 3},
             {0.25, 2},  {0, 2}, {0, 3},    {0.5, 3},  {0, 6}};
enum { MARKS = sizeof marks / sizeof marks[0] };

static const double dashes[] = {5, 2, 8, 3.5, 6.5};
enum { DASHES = sizeof dashes / sizeof dashes[0] };

void
curves_mark(struct display *d, size_t index, double x, double y, const char *tip)
{
    static const struct display_style style = {
        .stroke = DISPLAY_INK, .width = 1.5, .opacity = 0.8};
    static const struct display_style halo = {.stroke = DISPLAY_PAPER, .width = 3.6};
    struct display_point points[3 * SPOKES_MAX];
    const int spokes = marks[index % MARKS].spokes;
    size_t n = 0;

    for (int i = 0; i < spokes; i++) {
        const double angle =
            2 * M_PI * (marks[index % MARKS].first + (double)i / spokes);
        points[n++] = (struct display_point){x, y};
        points[n++] = (struct display_point){x + mark_radius * cos(angle),
                                             y - mark_radius * sin(angle)};
        points[n++] = (struct display_point){NAN, NAN};
    }
    if (tip != NULL)
        display_group(d, style, tip, NULL);
    display_lines(d, points, n, halo);
    display_lines(d, points, n, style);
    if (tip != NULL)
        display_group_end(d);
}

void
curves_line(struct display *d, size_t index, const struct display_point *points,
            size_t n)
{
    const struct display_style style = {.stroke = DISPLAY_INK,
                                        .width = 1.1,
                                        .dash = dashes[index % DASHES],
                                        .opacity = grey};

    display_lines(d, points, n, style);
}

static void
draw_line(struct display *d, const struct chart_curve *curve, const struct scale *x,
          const struct scale *y, struct place *place)
{
    struct display_point *points = xcalloc(curve->n + 1, sizeof *points);
    const double r = mark_radius;

    for (size_t i = 0; i < curve->n; i++)
        points[i] =
            (struct display_point){scale_at(x, curve->x[i]), scale_at(y, curve->y[i])};
    if (curve->n > 1)
        curves_line(d, curve->mark, points, curve->n);
    for (size_t i = 0; i < curve->n; i++) {
        const struct display_point p = points[i];
        place_take(place, (struct place_box){p.x - r, p.y - r, p.x + r, p.y + r}, true);
        if (i > 0)
            place_take_line(place, points[i - 1].x, points[i - 1].y, p.x, p.y);
    }
    free(points);
}

void
curves_lines(struct display *d, const struct chart *c, const struct scale *x,
             const struct scale *y, struct place *place)
{
    for (size_t i = 0; i < c->n_curves; i++)
        draw_line(d, &c->curves[i], x, y, place);
}

void
curves_marks(struct display *d, const struct chart *c, const struct scale *x,
             const struct scale *y)
{
    for (size_t i = 0; i < c->n_curves; i++)
        for (size_t k = 0; k < c->curves[i].n; k++)
            curves_mark(d, c->curves[i].mark, scale_at(x, c->curves[i].x[k]),
                        scale_at(y, c->curves[i].y[k]), c->curves[i].tips[k]);
}

/* Beside the last point that has room, else beside an earlier one. */
static void
name_curve(struct display *d, const struct chart_curve *curve, const struct scale *x,
           const struct scale *y, struct place *place, struct place_box bounds)
{
    const double w = display_text_width(curve->label, name_size, false);

    for (size_t i = curve->n; i-- > 0;) {
        const double px = scale_at(x, curve->x[i]), py = scale_at(y, curve->y[i]);
        const struct place_box boxes[] = {
            {px + 8, py - 6, px + 12 + w, py + 7},
            {px - w / 2 - 2, py + 7, px + w / 2 + 2, py + 20},
            {px - w / 2 - 2, py - 20, px + w / 2 + 2, py - 7},
            {px - 12 - w, py - 6, px - 8, py + 7}};
        const int at = place_find(place, boxes, sizeof boxes / sizeof boxes[0], bounds);
        if (at < 0)
            continue;
        display_text(d, boxes[at].x1 + 2, boxes[at].y2 - 3, name_size, DISPLAY_START,
                     false, 0.8, curve->label);
        return;
    }
}

void
curves_name(struct display *d, const struct chart *c, const struct scale *x,
            const struct scale *y, struct place *place, struct place_box bounds)
{
    for (size_t i = 0; i < c->n_curves; i++)
        name_curve(d, &c->curves[i], x, y, place, bounds);
}
