/* legend.c - what the marks of a plot mean, in rows above it. */
#include "coordinator/report/legend.h"

#include <math.h>

#include "coordinator/report/curves.h"
#include "shared/base/buf.h"

static const double row_height = 19, size = 12.5, mark = 22, gap = 18;

/* Series beyond this are counted instead of named. */
enum { SERIES_SHOWN = 14 };

struct legend {
    struct display *d;
    double x0, x, y, width;
};

/* Starts an entry: wraps when it does not fit. Returns where its mark goes. */
static struct display_point
entry(struct legend *l, const char *words)
{
    const char *text = display_fit(l->d, words, size, false, l->width - mark);
    const double w = mark + display_text_width(text, size, false);

    if (l->x > l->x0 && l->x + w > l->x0 + l->width) {
        l->x = l->x0;
        l->y += row_height;
    }
    const struct display_point at = {l->x, l->y - 4.2};
    display_text(l->d, l->x + mark, l->y, size, DISPLAY_START, false, 0, text);
    l->x += w + gap;
    return at;
}

static void
entry_marker(struct legend *l, enum display_marker marker, struct display_style style,
             const char *text)
{
    const struct display_point at = entry(l, text);

    display_marker(l->d, at.x + mark / 2 - 2, at.y, 4.5, marker, style, NULL);
}

static void
entry_line(struct legend *l, struct display_style style, bool step, const char *text)
{
    const struct display_point at = entry(l, text);
    const double x = at.x, y = at.y;
    const struct display_point level[] = {{x, y}, {x + mark - 5, y}};
    const struct display_point steps[] = {
        {x, y + 4}, {x + 8, y + 4}, {x + 8, y - 4}, {x + mark - 5, y - 4}};

    display_lines(l->d, step ? steps : level, step ? 4 : 2, style);
}

static void
entry_bar(struct legend *l, const char *text)
{
    static const struct display_style style = {.stroke = DISPLAY_INK, .width = 1.2};
    const struct display_point at = entry(l, text), lift = {NAN, NAN};
    const double x = at.x + mark / 2 - 2, a = at.y - 5, b = at.y + 5;
    const struct display_point bar[] = {{x, a},     {x, b}, lift,       {x - 3, a},
                                        {x + 3, a}, lift,   {x - 3, b}, {x + 3, b}};

    display_lines(l->d, bar, sizeof bar / sizeof bar[0], style);
}

static void
put_series(struct legend *l, const struct chart *c)
{
    struct buf b = {0};

    if (c->n_series < 2)
        return;
    for (size_t i = 0; i < c->n_series && i < SERIES_SHOWN; i++) {
        const enum display_color color = display_series_color(i);
        entry_marker(l, display_series_marker(i),
                     (struct display_style){.stroke = color, .fill = color, .width = 1},
                     c->series[i][0] != '\0' ? c->series[i] : "others");
    }
    if (c->n_series > SERIES_SHOWN) {
        buf_printf(&b, "and %zu more", c->n_series - SERIES_SHOWN);
        entry(l, buf_str(&b));
    }
    buf_release(&b);
}

static void
put_meanings(struct legend *l, const struct chart *c)
{
    static const struct display_style front = {
        .stroke = DISPLAY_INK, .width = 1.6, .opacity = 0.8};
    static const struct display_style dashed = {
        .stroke = DISPLAY_INK, .width = 1.2, .dash = 4, .opacity = 0.72};
    static const struct display_style hollow = {
        .stroke = DISPLAY_INK, .fill = DISPLAY_PAPER, .width = 1.2};
    bool incomplete = false, spread = false;

    for (size_t i = 0; i < c->n_points; i++) {
        incomplete = incomplete || !c->points[i].complete;
        spread = spread || !isnan(c->points[i].sd);
    }
    if (c->n_points > 0)
        entry_line(l, front, true,
                   c->averaged ? "Pareto front of means" : "Pareto front");
    if (c->n_references > 0)
        entry_line(l, dashed, false, "all ReLUs");
    if (incomplete)
        entry_marker(l, DISPLAY_CIRCLE, hollow, "some cells missing");
    if (spread)
        entry_bar(l, "1 standard deviation");
}

static void
put_curves(struct legend *l, const struct chart *c)
{
    for (size_t i = 0; i < c->n_curves; i++) {
        struct buf words = {0};
        buf_printf(&words, "%s, published (%s)", c->curves[i].label,
                   c->curves[i].citation);
        const struct display_point at = entry(l, buf_str(&words));
        const struct display_point line[] = {{at.x - 1, at.y}, {at.x + mark - 4, at.y}};
        curves_line(l->d, c->curves[i].mark, line, 2);
        curves_mark(l->d, c->curves[i].mark, at.x + mark / 2 - 2.5, at.y, NULL);
        buf_release(&words);
    }
}

double
legend_draw(struct display *d, const struct chart *c, double x, double y, double width)
{
    struct legend l = {.d = d, .x0 = x, .x = x, .y = y, .width = width};

    put_series(&l, c);
    put_meanings(&l, c);
    put_curves(&l, c);
    return l.y;
}
