/*
 * plot.c - a chart as a display list: axes, lines, markers and labels, back to front.
 * Everything stays on the canvas and no two labels overlap: a label without room is
 * left out, its value is in the tooltip and in the tables.
 */
#include "coordinator/report/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/curves.h"
#include "coordinator/report/label.h"
#include "coordinator/report/legend.h"
#include "coordinator/report/number.h"
#include "coordinator/report/place.h"
#include "coordinator/report/scale.h"
#include "shared/base/buf.h"

static const double width = 640, least_height = 440, least_room = 260;
static const double left = 58, right = 22, bottom = 54;
static const double title_y = 26, subtitle_y = 45, legend_y = 68;
static const double title_size = 16, text_size = 12.5, small_size = 12;
static const double radius = 4.5, big_radius = 5.5;
static const double faint = 0.14, muted = 0.72;

/* More values than this beside points are noise, and more lines between them too; so
 * many different x have ticks of their own. */
enum { LABELS_MAX = 16, REFERENCE_LABELS_MAX = 4, LINES_MAX = 80, OWN_TICKS_MAX = 10 };

struct plot {
    struct display *d;
    const struct chart *c;
    struct scale x, y;
    struct place place;
    double top, base;    /* of the plot's box: its upper end, the x axis */
    double radius;       /* of markers */
    double side_by_side; /* distance of neighbours that share the only x; 0: many x */
    bool reference_fits; /* the references' x are on the axis */
};

static struct place_box
bounds_of(const struct plot *p)
{
    return (struct place_box){left + 2, p->top - 12, width - 4, p->base - 1};
}

/* ---- axes ------------------------------------------------------------------------ */

static void
extend(double *lo, double *hi, double v)
{
    *lo = fmin(*lo, v);
    *hi = fmax(*hi, v);
}

static void
make_y(struct plot *p)
{
    const struct chart *c = p->c;
    double lo = INFINITY, hi = -INFINITY;

    for (size_t i = 0; i < c->n_points; i++) {
        const double sd = isnan(c->points[i].sd) ? 0 : c->points[i].sd;
        extend(&lo, &hi, c->points[i].y - sd);
        extend(&lo, &hi, c->points[i].y + sd);
    }
    for (size_t i = 0; i < c->n_references; i++)
        extend(&lo, &hi, c->references[i].y);
    for (size_t i = 0; i < c->n_curves; i++)
        for (size_t k = 0; k < c->curves[i].n; k++)
            extend(&lo, &hi, c->curves[i].y[k]);
    const bool percent = strcmp(c->unit, "%") == 0 && lo >= 0 && hi <= 100;
    scale_linear(&p->y, lo, hi, 0.09, 8, percent ? 0 : -INFINITY,
                 percent ? 100 : INFINITY);
    p->y.from = p->base;
    p->y.to = p->top;
}

/* References join the axis unless that would squeeze the points into less than half. */
static bool
reference_fits(const struct chart *c, double lo, double hi, bool log_axis)
{
    double far = hi;

    for (size_t i = 0; i < c->n_references; i++) {
        if (isnan(c->references[i].x) || (log_axis && c->references[i].x <= 0))
            return false;
        far = fmax(far, c->references[i].x);
    }
    if (c->n_points == 0)
        return c->n_references > 0;
    return log_axis ? far / hi <= fmax(hi / lo, 4) : far - hi <= fmax(hi - lo, 0);
}

/* Few budgets are their own ticks, which says more than round numbers. */
static void
set_own_ticks(struct plot *p)
{
    double own[OWN_TICKS_MAX];
    const size_t n_points = p->c->n_points;
    size_t n = 0;

    for (size_t i = 0; i < n_points; i++) {
        const double x = p->c->points[i].x;
        if (n > 0 && own[n - 1] == x)
            continue;
        if (n == OWN_TICKS_MAX)
            return;
        own[n++] = x;
    }
    if (p->c->n_curves > 0) /* other budgets than ours are on the axis too */
        return;
    if (n > 0 || p->x.log) /* references alone bring the only tick */
        scale_set_ticks(&p->x, own, n);
    if (n == 1 && n_points > 1)
        p->side_by_side = fmin(44, (width - left - right) * 0.8 / (double)n_points);
}

static void
make_x(struct plot *p)
{
    const struct chart *c = p->c;
    double lo = INFINITY, hi = -INFINITY;

    for (size_t i = 0; i < c->n_points; i++)
        extend(&lo, &hi, c->points[i].x);
    for (size_t i = 0; i < c->n_curves; i++)
        for (size_t k = 0; k < c->curves[i].n; k++)
            extend(&lo, &hi, c->curves[i].x[k]);
    const bool counts = strcmp(c->x, "relus") == 0 || strcmp(c->x, "macs") == 0
                        || strncmp(c->x, "pi_", 3) == 0;
    const bool log_axis = lo > 0 && (counts || hi / lo >= 20);
    p->reference_fits = reference_fits(c, lo, hi, log_axis);
    for (size_t i = 0; i < c->n_references && p->reference_fits; i++)
        extend(&lo, &hi, c->references[i].x);
    if (log_axis)
        scale_log(&p->x, lo, hi, 0.07);
    else
        scale_linear(&p->x, lo, hi, 0.06, 7, -INFINITY, INFINITY);
    p->x.from = left;
    p->x.to = width - right;
    set_own_ticks(p);
}

static void
tick_text(struct buf *b, const struct scale *s, double v)
{
    if (s->step == 0) {
        number_short(b, v);
        return;
    }
    const int decimals = (int)fmin(fmax(-floor(log10(s->step) + 1e-9), 0), 6);
    if (fabs(v) >= 10000)
        number_short(b, v);
    else
        buf_printf(b, "%.*f", decimals, fabs(v) < s->step / 2 ? 0.0 : v);
}

static void
draw_y_axis(struct plot *p)
{
    const struct display_style grid = {
        .stroke = DISPLAY_INK, .width = 1, .opacity = faint};
    struct buf b = {0};

    for (size_t i = 0; i < p->y.n_ticks; i++) {
        const double y = scale_at(&p->y, p->y.ticks[i]);
        display_line(p->d, left, y, width - right, y, grid);
        buf_clear(&b);
        tick_text(&b, &p->y, p->y.ticks[i]);
        display_text(p->d, left - 8, y + 4.3, small_size, DISPLAY_END, false, 0,
                     buf_str(&b));
    }
    buf_clear(&b);
    buf_printf(&b, "%s%s%s", p->c->metric, p->c->unit[0] != '\0' ? ", " : "",
               p->c->unit);
    display_text(p->d, 12, p->top - 12, small_size, DISPLAY_START, false, muted,
                 display_fit(p->d, buf_str(&b), small_size, false, width - 24));
    buf_release(&b);
}

/* One tick of the x axis; left out when its label would touch another one. */
static void
draw_x_tick(struct plot *p, struct place *labels, double v)
{
    const struct display_style mark = {
        .stroke = DISPLAY_INK, .width = 1, .opacity = 0.5};
    const double x = scale_at(&p->x, v), base = p->base;
    struct buf b = {0};

    tick_text(&b, &p->x, v);
    const double half = display_text_width(buf_str(&b), small_size, false) / 2 + 3;
    const struct place_box box = {x - half, 0, x + half, 1};
    const struct place_box all = {0, 0, width, 1};
    if (place_find(labels, &box, 1, all) >= 0) {
        display_line(p->d, x, base, x, base + 5, mark);
        display_text(p->d, x, base + 20, small_size, DISPLAY_MIDDLE, false, 0,
                     buf_str(&b));
    }
    buf_release(&b);
}

static void
draw_x_axis(struct plot *p)
{
    const struct display_style axis = {
        .stroke = DISPLAY_INK, .width = 1, .opacity = 0.5};
    const double base = p->base;
    struct place labels = {0};
    struct buf b = {0};

    display_line(p->d, left, base, width - right, base, axis);
    for (size_t i = 0; i < p->c->n_references && p->reference_fits && p->x.log; i++)
        draw_x_tick(p, &labels, p->c->references[i].x);
    for (size_t i = 0; i < p->x.n_ticks; i++)
        draw_x_tick(p, &labels, p->x.ticks[i]);
    buf_puts(&b, label_metric(p->c->x));
    if (strcmp(p->c->x, "relus") == 0)
        buf_puts(&b, " kept");
    else if (p->c->x_unit[0] != '\0')
        buf_printf(&b, ", %s", p->c->x_unit);
    buf_printf(&b, "%s",
               p->side_by_side > 0 ? ", the same for all points"
               : p->x.log          ? ", logarithmic"
                                   : "");
    display_text(p->d, (left + width - right) / 2, p->base + bottom - 14, small_size,
                 DISPLAY_MIDDLE, false, muted, buf_str(&b));
    buf_release(&b);
    place_release(&labels);
}

/* ---- what is drawn --------------------------------------------------------------- */

static double
px(const struct plot *p, size_t i)
{
    const double middle = ((double)p->c->n_points - 1) / 2;

    return scale_at(&p->x, p->c->points[i].x) + ((double)i - middle) * p->side_by_side;
}

static double
py(const struct plot *p, size_t i)
{
    return scale_at(&p->y, p->c->points[i].y);
}

/* Thin lines from budget to budget, for series that have one point a budget. */
static void
draw_series_line(struct plot *p, size_t series)
{
    const struct display_style thin = {
        .stroke = display_series_color(series), .width = 1.3, .opacity = 0.55};
    struct display_point *line = xcalloc(p->c->n_points + 1, sizeof *line);
    bool one_each = true;
    size_t n = 0;

    for (size_t i = 0; i < p->c->n_points; i++) {
        if (p->c->points[i].series != series)
            continue;
        line[n] = (struct display_point){px(p, i), py(p, i)};
        one_each = one_each && (n == 0 || line[n].x > line[n - 1].x);
        n++;
    }
    one_each = one_each && n > 1 && p->side_by_side == 0;
    if (one_each)
        display_lines(p->d, line, n, thin);
    for (size_t i = 1; i < n && one_each; i++)
        place_take_line(&p->place, line[i - 1].x, line[i - 1].y, line[i].x, line[i].y);
    free(line);
}

/* What can be had with at most x ReLUs: level until the next point of the front. */
static void
draw_front(struct plot *p)
{
    const struct display_style style = {
        .stroke = DISPLAY_INK, .width = 1.6, .opacity = 0.8};
    struct display_point *line = xcalloc(2 * p->c->n_points + 1, sizeof *line);
    size_t n = 0;

    for (size_t i = 0; i < p->c->n_points; i++) {
        if (!p->c->points[i].on_front)
            continue;
        const struct display_point at = {px(p, i), py(p, i)};
        if (n > 0)
            line[n] = (struct display_point){at.x, line[n - 1].y};
        n += n > 0;
        line[n++] = at;
    }
    if (n > 0) {
        line[n] = (struct display_point){p->x.to, line[n - 1].y};
        n++;
    }
    display_lines(p->d, line, n, style);
    for (size_t i = 1; i < n; i++)
        place_take_line(&p->place, line[i - 1].x, line[i - 1].y, line[i].x, line[i].y);
    free(line);
}

/* All bars of a series as one path: up, down, and caps where there is room for them. */
static void
draw_bars(struct plot *p, size_t series)
{
    const struct display_style style = {
        .stroke = display_series_color(series), .width = 1.2, .opacity = 0.9};
    const double cap = p->radius - 1.5;
    struct display_point *line = xcalloc(9 * p->c->n_points + 1, sizeof *line);
    const struct display_point lift = {NAN, NAN};
    size_t n = 0;

    for (size_t i = 0; i < p->c->n_points; i++) {
        const struct chart_point *point = &p->c->points[i];
        if (point->series != series || isnan(point->sd) || point->sd == 0)
            continue;
        const double x = px(p, i);
        const double a = fmax(scale_at(&p->y, point->y + point->sd), p->top);
        const double b = fmin(scale_at(&p->y, point->y - point->sd), p->base);
        const struct display_point bar[] = {{x, a},       {x, b},       lift,
                                            {x - cap, a}, {x + cap, a}, lift,
                                            {x - cap, b}, {x + cap, b}, lift};
        memcpy(line + n, bar, sizeof bar);
        n += sizeof bar / sizeof bar[0];
        place_take(&p->place, (struct place_box){x - cap, a, x + cap, b}, true);
    }
    if (n > 0)
        display_lines(p->d, line, n, style);
    free(line);
}

static void
draw_markers(struct plot *p, size_t series)
{
    const enum display_color color = display_series_color(series);
    const enum display_marker shape = display_series_marker(series);
    const struct display_style filled = {.stroke = color, .fill = color, .width = 1.4};
    const char *label = p->c->series[series];
    struct display_style hollow = filled;
    const double r = p->radius;

    hollow.fill = DISPLAY_PAPER;
    display_group(p->d, filled, label[0] != '\0' ? label : NULL, NULL);
    for (size_t i = 0; i < p->c->n_points; i++) {
        const struct chart_point *point = &p->c->points[i];
        if (point->series != series)
            continue;
        const double x = px(p, i), y = py(p, i);
        display_marker(p->d, x, y, r, shape, point->complete ? filled : hollow,
                       point->tip);
        place_take(&p->place, (struct place_box){x - r, y - r, x + r, y + r}, true);
    }
    display_group_end(p->d);
}

/* ---- labels ---------------------------------------------------------------------- */

struct spot {
    double dx, dy;
    enum display_anchor anchor;
};

static struct place_box
text_box(double x, double y, enum display_anchor anchor, double w)
{
    const double from = anchor == DISPLAY_START    ? x
                        : anchor == DISPLAY_MIDDLE ? x - w / 2
                                                   : x - w;

    return (struct place_box){from - 2, y - 10, from + w + 2, y + 3};
}

/* Writes `text` at the best of n spots around (x, y); nowhere when there is no room. */
static void
label_at(struct plot *p, double x, double y, const struct spot *spots, int n,
         const char *text, double size)
{
    enum { SPOTS_MAX = 16 };
    struct place_box boxes[SPOTS_MAX];
    const double w = display_text_width(text, size, false);

    for (int i = 0; i < n; i++)
        boxes[i] = text_box(x + spots[i].dx, y + spots[i].dy, spots[i].anchor, w);
    const int at = place_find(&p->place, boxes, n, bounds_of(p));
    if (at >= 0)
        display_text(p->d, x + spots[at].dx, y + spots[at].dy, size, spots[at].anchor,
                     false, 0, text);
}

/* Values of the front; of all points where they stand side by side. */
static void
label_points(struct plot *p)
{
    static const struct spot spots[] = {
        {0, -10, DISPLAY_MIDDLE}, {0, 19, DISPLAY_MIDDLE}, {-9, -6, DISPLAY_END},
        {9, 14, DISPLAY_START},   {9, -6, DISPLAY_START},  {-9, 14, DISPLAY_END},
        {10, 4, DISPLAY_START},   {-10, 4, DISPLAY_END},   {0, -17, DISPLAY_MIDDLE},
        {0, 26, DISPLAY_MIDDLE}};
    const bool all = p->side_by_side > 0;
    size_t n = 0;

    for (size_t i = 0; i < p->c->n_points; i++)
        n += all || p->c->points[i].on_front;
    for (size_t i = 0; i < p->c->n_points && n <= LABELS_MAX; i++) {
        struct buf b = {0};
        if (!all && !p->c->points[i].on_front)
            continue;
        number_metric(&b, p->c->points[i].y, p->c->unit);
        label_at(p, px(p, i), py(p, i), spots, sizeof spots / sizeof spots[0],
                 buf_str(&b), small_size);
        buf_release(&b);
    }
}

static void
draw_references(struct plot *p)
{
    const struct display_style dashed = {
        .stroke = DISPLAY_INK, .width = 1.2, .dash = 5, .opacity = muted};
    const struct display_style star = {
        .stroke = DISPLAY_INK, .fill = DISPLAY_INK, .width = 1};

    for (size_t i = 0; i < p->c->n_references; i++) {
        const struct chart_reference *r = &p->c->references[i];
        const double y = scale_at(&p->y, r->y);
        display_line(p->d, left, y, width - right, y, dashed);
        place_take_line(&p->place, left, y, width - right, y);
        if (!p->reference_fits)
            continue;
        const double x = scale_at(&p->x, r->x);
        display_marker(p->d, x, y, big_radius, DISPLAY_STAR, star, r->tip);
        place_take(&p->place, (struct place_box){x - 8, y - 8, x + 8, y + 8}, true);
    }
}

static void
label_references(struct plot *p)
{
    const double a = left + 6, b = (left + width - right) / 2, c = width - right - 2;
    const struct spot spots[] = {{a, -6, DISPLAY_START},    {c, -6, DISPLAY_END},
                                 {c - 14, -6, DISPLAY_END}, {b, -6, DISPLAY_MIDDLE},
                                 {a, 15, DISPLAY_START},    {c, 15, DISPLAY_END},
                                 {b, 15, DISPLAY_MIDDLE}};

    for (size_t i = 0; i < p->y.n_ticks; i++) {
        const double y = scale_at(&p->y, p->y.ticks[i]);
        place_take_line(&p->place, left, y, width - right, y);
    }
    for (size_t i = 0; i < p->c->n_references && i < REFERENCE_LABELS_MAX; i++)
        label_at(p, 0, scale_at(&p->y, p->c->references[i].y), spots,
                 sizeof spots / sizeof spots[0],
                 display_fit(p->d, p->c->references[i].label, small_size, false,
                             width - left - right - 12),
                 small_size);
}

/* ---- the whole ------------------------------------------------------------------- */

static void
draw_titles(struct display *d, const struct chart *c)
{
    const double room = width - 24;

    display_text(d, 12, title_y, title_size, DISPLAY_START, true, 0,
                 display_fit(d, c->title, title_size, true, room));
    display_text(d, 12, subtitle_y, text_size, DISPLAY_START, false, muted,
                 display_fit(d, c->subtitle, text_size, false, room));
}

static void
draw_nothing(struct display *d, const struct chart *c)
{
    struct buf b = {0};

    buf_printf(&b, "No finished cell has reported %s.", c->missing);
    display_text(d, width / 2, d->height / 2, 14, DISPLAY_MIDDLE, false, muted,
                 display_fit(d, buf_str(&b), 14, false, width - 40));
    buf_release(&b);
}

void
plot_draw(struct display *out, const struct chart *c)
{
    struct plot p = {.d = out, .c = c};

    display_init(out, width, least_height, c->title);
    draw_titles(out, c);
    if (c->missing != NULL) {
        draw_nothing(out, c);
        return;
    }
    p.radius = c->n_points > 400 ? 2.5 : c->n_points > 120 ? 3.5 : radius;
    p.top = legend_draw(out, c, 12, legend_y, width - right - 12) + 34;
    out->height = fmax(least_height, p.top + least_room + bottom);
    p.base = out->height - bottom;
    make_x(&p);
    make_y(&p);
    draw_y_axis(&p);
    draw_x_axis(&p);
    draw_references(&p);
    curves_lines(p.d, c, &p.x, &p.y, &p.place);
    for (size_t i = 0; i < c->n_series && c->n_points <= LINES_MAX; i++)
        draw_series_line(&p, i);
    draw_front(&p);
    for (size_t i = 0; i < c->n_series; i++)
        draw_bars(&p, i);
    for (size_t i = 0; i < c->n_series; i++)
        draw_markers(&p, i);
    curves_marks(p.d, c, &p.x, &p.y);
    label_points(&p);
    curves_name(p.d, c, &p.x, &p.y, &p.place, bounds_of(&p));
    label_references(&p);
    place_release(&p.place);
    scale_release(&p.x);
    scale_release(&p.y);
}
