/*
 * svg.c - a display list as SVG text. Attributes that a group has given already are not
 * repeated on its items, which keeps a plot of a thousand points small.
 */
#include "coordinator/report/svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/report/escape.h"

/* "12.3", "12", "-0.5": one decimal at most, and no "-0". */
static void
put_number(struct buf *out, double v)
{
    const double tenths = round(v * 10);

    if (tenths == 0)
        buf_putc(out, '0');
    else if (fmod(tenths, 10) == 0)
        buf_printf(out, "%.0f", tenths / 10);
    else
        buf_printf(out, "%.1f", tenths / 10);
}

static void
put_attribute(struct buf *out, const char *name, double v)
{
    buf_printf(out, " %s=\"", name);
    put_number(out, v);
    buf_putc(out, '"');
}

static void
put_escaped(struct buf *out, const char *before, const char *text, const char *after)
{
    buf_puts(out, before);
    escape_markup(out, text);
    buf_puts(out, after);
}

/* Those parts of a style that differ from what the group has set. */
static void
put_style(struct buf *out, const struct display_style *s,
          const struct display_style *group)
{
    if (s->fill != group->fill)
        buf_printf(out, " fill=\"%s\"%s", display_color_word(s->fill),
                   s->fill == DISPLAY_PAPER ? " class=\"paper\"" : "");
    if (s->stroke != group->stroke)
        buf_printf(out, " stroke=\"%s\"%s", display_color_word(s->stroke),
                   s->stroke == DISPLAY_PAPER ? " class=\"halo\"" : "");
    if (s->stroke != DISPLAY_NONE && s->width != group->width)
        put_attribute(out, "stroke-width", s->width);
    if (s->stroke != DISPLAY_NONE && s->dash != group->dash) {
        if (s->dash > 0)
            put_attribute(out, "stroke-dasharray", s->dash);
        else
            buf_puts(out, " stroke-dasharray=\"none\"");
    }
    if (s->opacity > 0 && s->opacity < 1)
        buf_printf(out, " opacity=\"%.2g\"", s->opacity);
}

static void
put_point(struct buf *out, char command, double x, double y)
{
    buf_putc(out, command);
    put_number(out, x);
    buf_putc(out, ' ');
    put_number(out, y);
}

static void
put_lines(struct buf *out, const struct display_item *item,
          const struct display_style *group)
{
    bool down = false;

    buf_puts(out, "<path d=\"");
    for (size_t i = 0; i < item->n_points; i++) {
        const struct display_point p = item->points[i];
        if (!isnan(p.x))
            put_point(out, down ? 'L' : 'M', p.x, p.y);
        down = !isnan(p.x);
    }
    buf_putc(out, '"');
    put_style(out, &item->style, group);
    buf_puts(out, "/>\n");
}

/* The first corner, then steps from corner to corner, which are short to write. */
static void
put_corners(struct buf *out, const struct display_item *item,
            const struct display_point *corners, size_t n)
{
    buf_puts(out, " d=\"");
    put_point(out, 'M', item->x + item->size * corners[0].x,
              item->y + item->size * corners[0].y);
    for (size_t i = 1; i < n; i++)
        put_point(out, 'l', item->size * (corners[i].x - corners[i - 1].x),
                  item->size * (corners[i].y - corners[i - 1].y));
    buf_puts(out, "z\"");
}

static void
put_marker(struct buf *out, const struct display_item *item,
           const struct display_style *group)
{
    struct display_point corners[DISPLAY_CORNERS];
    const size_t n = display_marker_corners(item->marker, corners);
    const char *element = n > 0 ? "path" : "circle";

    buf_printf(out, "<%s", element);
    if (n == 0) {
        put_attribute(out, "cx", item->x);
        put_attribute(out, "cy", item->y);
        put_attribute(out, "r", item->size);
    } else {
        put_corners(out, item, corners, n);
    }
    put_style(out, &item->style, group);
    if (item->title != NULL) {
        put_escaped(out, "><title>", item->title, "</title>");
        buf_printf(out, "</%s>\n", element);
    } else {
        buf_puts(out, "/>\n");
    }
}

static void
put_text(struct buf *out, const struct display_item *item,
         const struct display_style *group)
{
    static const char *const anchors[] = {"start", "middle", "end"};

    buf_puts(out, "<text");
    put_attribute(out, "x", item->x);
    put_attribute(out, "y", item->y);
    put_attribute(out, "font-size", item->size);
    if (item->anchor != DISPLAY_START)
        buf_printf(out, " text-anchor=\"%s\"", anchors[item->anchor]);
    if (item->bold)
        buf_puts(out, " font-weight=\"bold\"");
    put_style(out, &item->style, group);
    put_escaped(out, ">", item->text, "</text>\n");
}

/* Opens a group, as a link where it has one. */
static void
put_group(struct buf *out, const struct display_item *item,
          const struct display_style *around)
{
    if (item->link != NULL)
        put_escaped(out, "<a href=\"", item->link, "\">");
    buf_puts(out, "<g");
    put_style(out, &item->style, around);
    buf_puts(out, ">");
    if (item->title != NULL)
        put_escaped(out, "<title>", item->title, "</title>");
    buf_putc(out, '\n');
}

static void
put_items(struct buf *out, const struct display *d)
{
    enum { DEPTH = 8 };
    const struct display_item *open[DEPTH] = {NULL};
    static const struct display_style outside = {.fill = DISPLAY_INK, .width = 1};
    const struct display_style *style = &outside;
    size_t depth = 0;

    for (size_t i = 0; i < d->n_items; i++) {
        const struct display_item *item = &d->items[i];
        switch (item->kind) {
        case DISPLAY_GROUP:
            put_group(out, item, style);
            if (depth < DEPTH)
                open[depth++] = item;
            style = &item->style;
            break;
        case DISPLAY_GROUP_END:
            if (depth == 0)
                break;
            buf_puts(out, open[--depth]->link != NULL ? "</g></a>\n" : "</g>\n");
            style = depth > 0 ? &open[depth - 1]->style : &outside;
            break;
        case DISPLAY_LINES: put_lines(out, item, style); break;
        case DISPLAY_MARKER: put_marker(out, item, style); break;
        case DISPLAY_TEXT: put_text(out, item, style); break;
        }
    }
}

void
svg_draw(struct buf *out, const struct display *d, bool standalone)
{
    buf_puts(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ");
    put_number(out, d->width);
    buf_putc(out, ' ');
    put_number(out, d->height);
    buf_putc(out, '"');
    if (standalone) {
        put_attribute(out, "width", d->width);
        put_attribute(out, "height", d->height);
        buf_printf(out, " color=\"#%06x\"", display_color_rgb(DISPLAY_INK));
    }
    buf_printf(out,
               " role=\"img\" fill=\"%s\" stroke-linejoin=\"round\""
               " font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n",
               display_color_word(DISPLAY_INK));
    put_escaped(out, "<title>", d->title, "</title>\n");
    if (standalone)
        buf_puts(out, "<path d=\"M0 0H10000V10000H0Z\" fill=\"#fff\"/>\n");
    put_items(out, d);
    buf_puts(out, "</svg>\n");
}
