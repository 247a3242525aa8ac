/*
 * canvas.c - a display list drawn by cairo; the only file of the report that knows it.
 * Bytes depend on the list alone: no time, no name of a machine.
 */
#include "coordinator/report/canvas.h"

#include <cairo-pdf.h>
#include <cairo.h>
#include <math.h>

static const double png_scale = 2, pdf_scale = 0.75; /* pixels; points */

/* PDF wants a time of creation; every report has this one. */
static const char pdf_date[] = "2000-01-01T00:00:00Z";

static void
set_color(cairo_t *cr, enum display_color color, double opacity)
{
    const uint32_t rgb = display_color_rgb(color);

    cairo_set_source_rgba(cr, (double)(rgb >> 16) / 255, (double)(rgb >> 8 & 255) / 255,
                          (double)(rgb & 255) / 255, opacity > 0 ? opacity : 1);
}

/* Fills and strokes the current path. */
static void
paint(cairo_t *cr, const struct display_style *s)
{
    if (s->fill != DISPLAY_NONE) {
        set_color(cr, s->fill, s->opacity);
        cairo_fill_preserve(cr);
    }
    if (s->stroke != DISPLAY_NONE) {
        set_color(cr, s->stroke, s->opacity);
        cairo_set_line_width(cr, s->width);
        cairo_set_dash(cr, &s->dash, s->dash > 0, 0);
        cairo_stroke_preserve(cr);
    }
    cairo_new_path(cr);
}

static void
draw_lines(cairo_t *cr, const struct display_item *item)
{
    bool down = false;

    for (size_t i = 0; i < item->n_points; i++) {
        const struct display_point p = item->points[i];
        if (down && !isnan(p.x))
            cairo_line_to(cr, p.x, p.y);
        else if (!isnan(p.x))
            cairo_move_to(cr, p.x, p.y);
        down = !isnan(p.x);
    }
    paint(cr, &item->style);
}

static void
draw_marker(cairo_t *cr, const struct display_item *item)
{
    struct display_point corners[DISPLAY_CORNERS];
    const size_t n = display_marker_corners(item->marker, corners);

    cairo_new_path(cr);
    if (n == 0)
        cairo_arc(cr, item->x, item->y, item->size, 0, 2 * M_PI);
    for (size_t i = 0; i < n; i++)
        cairo_line_to(cr, item->x + item->size * corners[i].x,
                      item->y + item->size * corners[i].y);
    cairo_close_path(cr);
    paint(cr, &item->style);
}

static void
draw_text(cairo_t *cr, const struct display_item *item)
{
    static const double shares[] = {
        [DISPLAY_START] = 0, [DISPLAY_MIDDLE] = 0.5, [DISPLAY_END] = 1};
    cairo_text_extents_t extents;

    cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           item->bold ? CAIRO_FONT_WEIGHT_BOLD
                                      : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, item->size * 0.94); /* DejaVu looks larger than others */
    cairo_text_extents(cr, item->text, &extents);
    set_color(cr, item->style.fill, item->style.opacity);
    cairo_move_to(cr, item->x - shares[item->anchor] * extents.x_advance, item->y);
    cairo_show_text(cr, item->text);
    cairo_new_path(cr);
}

static void
draw(cairo_t *cr, const struct display *d, double scale)
{
    cairo_font_options_t *options = cairo_font_options_create();

    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
    cairo_scale(cr, scale, scale);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    set_color(cr, DISPLAY_PAPER, 1);
    cairo_paint(cr);
    for (size_t i = 0; i < d->n_items; i++) {
        switch (d->items[i].kind) {
        case DISPLAY_LINES: draw_lines(cr, &d->items[i]); break;
        case DISPLAY_MARKER: draw_marker(cr, &d->items[i]); break;
        case DISPLAY_TEXT: draw_text(cr, &d->items[i]); break;
        case DISPLAY_GROUP:
        case DISPLAY_GROUP_END: break;
        }
    }
}

static cairo_status_t
append(void *closure, const unsigned char *data, unsigned int size)
{
    buf_add(closure, data, size);
    return CAIRO_STATUS_SUCCESS;
}

/* Draws on the surface, which it takes, and ends it. */
static int
finish(cairo_surface_t *surface, struct buf *png, const struct display *d, double scale,
       struct err *err)
{
    cairo_t *cr = cairo_create(surface);

    draw(cr, d, scale);
    cairo_status_t status = cairo_status(cr);
    if (status == CAIRO_STATUS_SUCCESS && png != NULL)
        status = cairo_surface_write_to_png_stream(surface, append, png);
    cairo_destroy(cr);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS)
        return err_set(err, ERR_SYS, "cannot draw `%s` as %s: %s", d->title,
                       png != NULL ? "PNG" : "PDF", cairo_status_to_string(status));
    return 0;
}

int
canvas_png(struct buf *out, const struct display *d, struct err *err)
{
    cairo_surface_t *surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)(d->width * png_scale), (int)(d->height * png_scale));

    return finish(surface, out, d, png_scale, err);
}

int
canvas_pdf(struct buf *out, const struct display *d, struct err *err)
{
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
        append, out, d->width * pdf_scale, d->height * pdf_scale);

    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, d->title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, pdf_date);
    return finish(surface, NULL, d, pdf_scale, err);
}
