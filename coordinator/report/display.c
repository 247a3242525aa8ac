/*
 * display.c - the display list and the looks that all figures share: palette, marker
 * shapes, widths of letters. Knows no file format and no plot.
 */
#include "coordinator/report/display.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    uint32_t rgb;
} colors[] = {
#define AS_ROW(id, text, number) [id] = {text, number},
    DISPLAY_COLORS(AS_ROW)
#undef AS_ROW
};

const char *
display_color_word(enum display_color color)
{
    return colors[color].word;
}

uint32_t
display_color_rgb(enum display_color color)
{
    return colors[color].rgb;
}

enum display_color
display_series_color(size_t i)
{
    const size_t n = DISPLAY_COLOR_COUNT - DISPLAY_BLUE;

    return (enum display_color)(DISPLAY_BLUE + i % n);
}

enum display_marker
display_series_marker(size_t i)
{
    return (enum display_marker)(i % DISPLAY_STAR);
}

/* ---- the list -------------------------------------------------------------------- */

void
display_init(struct display *d, double width, double height, const char *title)
{
    *d = (struct display){.width = width, .height = height};
    d->title = arena_strdup(&d->mem, title);
}

void
display_release(struct display *d)
{
    free(d->items);
    arena_release(&d->mem);
    *d = (struct display){0};
}

static struct display_item *
add(struct display *d, enum display_kind kind, struct display_style style)
{
    d->items = xgrow(d->items, &d->capacity, d->n_items + 1, sizeof *d->items);
    struct display_item *item = &d->items[d->n_items++];
    *item = (struct display_item){.kind = kind, .style = style};
    return item;
}

static const char *
copy(struct display *d, const char *text)
{
    return text != NULL ? arena_strdup(&d->mem, text) : NULL;
}

void
display_group(struct display *d, struct display_style style, const char *title,
              const char *link)
{
    struct display_item *item = add(d, DISPLAY_GROUP, style);

    item->title = copy(d, title);
    item->link = copy(d, link);
}

void
display_group_end(struct display *d)
{
    add(d, DISPLAY_GROUP_END, (struct display_style){0});
}

void
display_lines(struct display *d, const struct display_point *points, size_t n,
              struct display_style style)
{
    struct display_point *own = arena_alloc(&d->mem, (n + 1) * sizeof *own);

    memcpy(own, points, n * sizeof *own);
    struct display_item *item = add(d, DISPLAY_LINES, style);
    item->points = own;
    item->n_points = n;
}

void
display_line(struct display *d, double x1, double y1, double x2, double y2,
             struct display_style style)
{
    const struct display_point ends[] = {{x1, y1}, {x2, y2}};

    display_lines(d, ends, 2, style);
}

void
display_marker(struct display *d, double x, double y, double radius,
               enum display_marker marker, struct display_style style,
               const char *title)
{
    struct display_item *item = add(d, DISPLAY_MARKER, style);

    item->x = x;
    item->y = y;
    item->size = radius;
    item->marker = marker;
    item->title = copy(d, title);
}

void
display_text(struct display *d, double x, double y, double size,
             enum display_anchor anchor, bool bold, double opacity, const char *text)
{
    const struct display_style style = {.fill = DISPLAY_INK, .opacity = opacity};
    struct display_item *item = add(d, DISPLAY_TEXT, style);

    item->x = x;
    item->y = y;
    item->size = size;
    item->anchor = anchor;
    item->bold = bold;
    item->text = copy(d, text);
}

/* ---- shapes and letters ---------------------------------------------------------- */

/* n corners on a circle, the first at `turn` quarter turns clockwise from the top;
 * every second one at `inner` of the radius. */
static size_t
corners_on_circle(struct display_point *points, size_t n, double radius, double turn,
                  double inner)
{
    for (size_t i = 0; i < n; i++) {
        const double angle = M_PI * (2 * (double)i / (double)n + turn / 2);
        const double r = i % 2 == 1 ? radius * inner : radius;
        points[i] = (struct display_point){r * sin(angle), -r * cos(angle)};
    }
    return n;
}

/* A plus sign turned by an eighth: arms of half-width 0.38. */
static size_t
corners_of_cross(struct display_point *points)
{
    static const double arm = 1.12, half = 0.36;
    const double xs[] = {-half, half,  half,  arm,  arm,  half,
                         half,  -half, -half, -arm, -arm, -half};
    const double ys[] = {-arm, -arm, -half, -half, half,  half,
                         arm,  arm,  half,  half,  -half, -half};

    for (size_t i = 0; i < DISPLAY_CORNERS; i++)
        points[i] = (struct display_point){(xs[i] - ys[i]) * M_SQRT1_2,
                                           (xs[i] + ys[i]) * M_SQRT1_2};
    return DISPLAY_CORNERS;
}

size_t
display_marker_corners(enum display_marker marker,
                       struct display_point points[DISPLAY_CORNERS])
{
    switch (marker) {
    case DISPLAY_SQUARE: return corners_on_circle(points, 4, 1.27, 0.5, 1);
    case DISPLAY_TRIANGLE: return corners_on_circle(points, 3, 1.42, 0, 1);
    case DISPLAY_DIAMOND: return corners_on_circle(points, 4, 1.32, 0, 1);
    case DISPLAY_TRIANGLE_DOWN: return corners_on_circle(points, 3, 1.42, 2, 1);
    case DISPLAY_PENTAGON: return corners_on_circle(points, 5, 1.18, 0, 1);
    case DISPLAY_CROSS: return corners_of_cross(points);
    case DISPLAY_HEXAGON: return corners_on_circle(points, 6, 1.12, 0, 1);
    case DISPLAY_STAR: return corners_on_circle(points, 10, 1.6, 0, 0.42);
    case DISPLAY_CIRCLE:
    case DISPLAY_MARKER_COUNT: break;
    }
    return 0;
}

/* Advance widths of ' ' to '~' in hundredths of the height (DejaVu Sans 2.37). */
static const unsigned char widths[] = {
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36,  32, 34, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 53, 100, 68, 69, 70, 77, 63,
    58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63,  61, 73, 68, 99, 69,
    61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35,  63, 63, 28, 28, 58,
    28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59,  52, 64, 34, 64, 84};
static const double other_width = 84, bold_factor = 1.12;

double
display_text_width(const char *text, double size, bool bold)
{
    double sum = 0;

    for (const char *c = text; *c != '\0'; c++) {
        const unsigned char u = (unsigned char)*c;
        if (u >= ' ' && u <= '~')
            sum += widths[u - ' '];
        else if (u >= 0xC0)
            sum += other_width;
    }
    return sum / 100 * size * (bold ? bold_factor : 1);
}

const char *
display_fit(struct display *d, const char *text, double size, bool bold, double width)
{
    if (display_text_width(text, size, bold) <= width)
        return copy(d, text);
    char *cut = arena_strdup(&d->mem, text);
    size_t n = strlen(cut);
    while (n > 0 && display_text_width(cut, size, bold) > width - size) {
        do /* whole characters of UTF-8 */
            n--;
        while (n > 0 && (cut[n] & 0xC0) == 0x80);
        cut[n] = '\0';
    }
    return arena_printf(&d->mem, "%s…", cut);
}
