#ifndef COORDINATOR_REPORT_DISPLAY_H
#define COORDINATOR_REPORT_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/mem.h"

/*
 * A display list: what to draw, in order, in user units of a canvas of width x height
 * with y downwards. svg.h and png.h draw the same list, so that all formats of a figure
 * agree. Texts are copied into the list.
 */

/* Okabe and Ito 2008 ("Color Universal Design"), told apart by colour-blind readers, in
 * an order that puts the pale ones last; and the colours that follow the page: ink
 * (text, axes) and paper. Words are those of SVG. */
#define DISPLAY_COLORS(X)                      \
    X(DISPLAY_NONE, "none", 0x000000)          \
    X(DISPLAY_INK, "currentColor", 0x1f2328)   \
    X(DISPLAY_PAPER, "#fff", 0xffffff)         \
    X(DISPLAY_BLUE, "#0072b2", 0x0072b2)       \
    X(DISPLAY_VERMILLION, "#d55e00", 0xd55e00) \
    X(DISPLAY_GREEN, "#009e73", 0x009e73)      \
    X(DISPLAY_PURPLE, "#cc79a7", 0xcc79a7)     \
    X(DISPLAY_ORANGE, "#e69f00", 0xe69f00)     \
    X(DISPLAY_SKY, "#56b4e9", 0x56b4e9)        \
    X(DISPLAY_YELLOW, "#f0e442", 0xf0e442)

#define AS_ENUM(id, word, rgb) id,
enum display_color { DISPLAY_COLORS(AS_ENUM) DISPLAY_COLOR_COUNT };
#undef AS_ENUM

const char *display_color_word(enum display_color color);
uint32_t display_color_rgb(enum display_color color);

/* Colour of series i; repeats after seven. */
enum display_color display_series_color(size_t i);

enum display_marker {
    DISPLAY_CIRCLE,
    DISPLAY_SQUARE,
    DISPLAY_TRIANGLE,
    DISPLAY_DIAMOND,
    DISPLAY_TRIANGLE_DOWN,
    DISPLAY_PENTAGON,
    DISPLAY_CROSS,
    DISPLAY_HEXAGON,
    DISPLAY_STAR, /* not of any series: the reference */
    DISPLAY_MARKER_COUNT,
};

/* Marker of series i; repeats after eight, so colour and marker repeat after 56. */
enum display_marker display_series_marker(size_t i);

struct display_style {
    enum display_color stroke, fill;
    double width;   /* of the stroke */
    double dash;    /* length of dashes and of the gaps; 0: solid */
    double opacity; /* 0: not set, opaque */
};

enum display_anchor { DISPLAY_START, DISPLAY_MIDDLE, DISPLAY_END };

struct display_point {
    double x, y;
};

enum display_kind {
    DISPLAY_GROUP,     /* until its DISPLAY_GROUP_END; style is that of its items' */
    DISPLAY_GROUP_END, /* look when they do not differ; title and link may be there */
    DISPLAY_LINES,     /* points in strokes; a point with x = NaN lifts the pen */
    DISPLAY_MARKER,    /* of radius `size` at x, y */
    DISPLAY_TEXT,      /* baseline at x, y; in the fill colour */
};

struct display_item {
    enum display_kind kind;
    struct display_style style;
    double x, y, size; /* size: radius of a marker, height of a text */
    const struct display_point *points;
    size_t n_points;
    enum display_marker marker;
    enum display_anchor anchor;
    bool bold;
    const char *text;  /* of a text */
    const char *title; /* tooltip of a marker or group; NULL: none */
    const char *link;  /* of a group; NULL: none */
};

struct display {
    double width, height;
    const char *title; /* of the whole figure, for those who cannot see it */
    struct display_item *items;
    size_t n_items, capacity;
    struct arena mem;
};

void display_init(struct display *d, double width, double height, const char *title);
void display_release(struct display *d);

/* title and link may be NULL. */
void display_group(struct display *d, struct display_style style, const char *title,
                   const char *link);
void display_group_end(struct display *d);

void display_line(struct display *d, double x1, double y1, double x2, double y2,
                  struct display_style style);
void display_lines(struct display *d, const struct display_point *points, size_t n,
                   struct display_style style);
void display_marker(struct display *d, double x, double y, double radius,
                    enum display_marker marker, struct display_style style,
                    const char *title);
void display_text(struct display *d, double x, double y, double size,
                  enum display_anchor anchor, bool bold, double opacity,
                  const char *text);

/* `text`, or its beginning and an ellipsis where it is wider than `width`. Lives as
 * long as the list. */
const char *display_fit(struct display *d, const char *text, double size, bool bold,
                        double width);

/* Corners of a marker of radius 1 around 0, into points[DISPLAY_CORNERS]; returns how
 * many. 0 for a circle. Shapes are scaled to look equally large. */
enum { DISPLAY_CORNERS = 12 };
size_t display_marker_corners(enum display_marker marker,
                              struct display_point points[DISPLAY_CORNERS]);

/* Width of a text in user units; those of DejaVu Sans, which is wider than most, so
 * room for it is room for any. */
double display_text_width(const char *text, double size, bool bold);

#endif
