/* linechart.c - curves over steps as a display list of the report. */
#include "coordinator/web/linechart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/display.h"
#include "coordinator/report/html.h"
#include "coordinator/report/number.h"
#include "coordinator/report/scale.h"
#include "coordinator/report/svg.h"
#include "shared/base/mem.h"

enum {
    WIDTH = 560,
    HEIGHT = 260,
    LEFT = 58,
    RIGHT = 12,
    TOP = 26,
    BOTTOM = 26,
    BUCKETS = 300,
    MOST_POINTS = 2 * BUCKETS,
    LEGEND = 15,
    TEXT = 11,
};

struct bounds {
    double x0, x1, y0, y1;
};

static double
at(const json_t *points, size_t i, size_t k)
{
    const json_t *v = json_array_get(json_array_get(points, i), k);

    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* Where the steps of `range` begin and end; steps increase. */
struct part {
    size_t first, end;
};

static struct part
part_of(const json_t *points, struct steps range)
{
    struct part p = {0, json_array_size(points)};

    while (p.first < p.end && at(points, p.first, 0) < (double)range.from)
        p.first++;
    while (p.end > p.first && at(points, p.end - 1, 0) > (double)range.to)
        p.end--;
    return p;
}

static void
include(struct bounds *b, double x, double y)
{
    if (isnan(y))
        return;
    b->x0 = fmin(b->x0, x);
    b->x1 = fmax(b->x1, x);
    b->y0 = fmin(b->y0, y);
    b->y1 = fmax(b->y1, y);
}

static struct bounds
bounds_of(const struct line *lines, size_t n, struct steps range)
{
    struct bounds b = {INFINITY, -INFINITY, INFINITY, -INFINITY};

    for (size_t i = 0; i < n; i++) {
        const struct part p = part_of(lines[i].points, range);
        for (size_t k = p.first; k < p.end; k++)
            include(&b, at(lines[i].points, k, 0), at(lines[i].points, k, 1));
    }
    return b;
}

struct axes {
    struct scale x, y;
};

/* Lowest and highest of the points from..to, in their order. */
static size_t
put_extremes(struct display_point *to, const struct axes *a, const json_t *points,
             size_t first, size_t end)
{
    size_t lo = end, hi = end, n = 0;

    for (size_t i = first; i < end; i++) {
        const double v = at(points, i, 1);
        if (isnan(v))
            continue;
        lo = lo == end || v < at(points, lo, 1) ? i : lo;
        hi = hi == end || v > at(points, hi, 1) ? i : hi;
    }
    const size_t order[] = {lo < hi ? lo : hi, lo < hi ? hi : lo};
    for (int k = 0; k < 2 && lo < end; k++)
        if (k == 0 || lo != hi)
            to[n++] = (struct display_point){scale_at(&a->x, at(points, order[k], 0)),
                                             scale_at(&a->y, at(points, order[k], 1))};
    return n;
}

/* True when there is a line, not a point or nothing. */
static bool
put_line(struct display *d, const struct axes *a, const struct line *line, size_t index,
         struct steps range)
{
    const struct display_style style = {.stroke = display_series_color(index),
                                        .width = 1.6,
                                        .dash = index >= 7 ? 4 : 0};
    const struct part p = part_of(line->points, range);
    const size_t n = p.end - p.first, buckets = n <= MOST_POINTS ? n : BUCKETS;
    struct display_point points[MOST_POINTS];
    size_t used = 0;

    for (size_t i = 0; i < buckets; i++)
        used += put_extremes(points + used, a, line->points, p.first + i * n / buckets,
                             p.first + (i + 1) * n / buckets);
    if (used > 1)
        display_lines(d, points, used, style);
    else if (used == 1)
        display_marker(d, points[0].x, points[0].y, 3, DISPLAY_CIRCLE,
                       (struct display_style){.fill = style.stroke}, line->label);
    return used > 1;
}

static const char *
tick_text(struct buf *text, double v)
{
    buf_clear(text);
    if (fabs(v) >= 1000)
        number_short(text, v);
    else
        buf_printf(text, "%.4g", v == 0 ? 0.0 : v); /* no "-0" */
    return buf_str(text);
}

static void
put_axes(struct display *d, const struct axes *a)
{
    const struct display_style grid = {
        .stroke = DISPLAY_INK, .width = 0.6, .opacity = 0.2};
    struct buf text = {0};

    for (size_t i = 0; i < a->y.n_ticks; i++) {
        const double y = scale_at(&a->y, a->y.ticks[i]);
        display_line(d, LEFT, y, WIDTH - RIGHT, y, grid);
        display_text(d, LEFT - 6, y + 4, TEXT, DISPLAY_END, false, 0.75,
                     tick_text(&text, a->y.ticks[i]));
    }
    for (size_t i = 0; i < a->x.n_ticks; i++) {
        const double x = scale_at(&a->x, a->x.ticks[i]);
        display_line(d, x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 4, grid);
        display_text(d, x, HEIGHT - BOTTOM + 16, TEXT, DISPLAY_MIDDLE, false, 0.75,
                     tick_text(&text, a->x.ticks[i]));
    }
    buf_release(&text);
}

static void
put_legend(struct display *d, const struct line *lines, size_t n)
{
    double x = LEFT;

    for (size_t i = 0; i < n && n > 1; i++) {
        const char *label = display_fit(d, lines[i].label, TEXT, false, 120);
        display_line(d, x, TOP - 12, x + 14, TOP - 12,
                     (struct display_style){.stroke = display_series_color(i),
                                            .width = 2.5,
                                            .dash = i >= 7 ? 4 : 0});
        display_text(d, x + 18, TOP - 8, TEXT, DISPLAY_START, false, 0, label);
        x += 18 + LEGEND + display_text_width(label, TEXT, false);
    }
}

/* What a cursor needs to know: the data at the edges of the plot, and the edges. */
static void
put_figure(struct buf *out, const struct axes *a, const char *labels)
{
    buf_printf(
        out,
        "<figure data-chart=\"%.17g %.17g %d %d %.17g %.17g %d %d\" data-labels=\"",
        a->x.lo, a->x.hi, LEFT, WIDTH - RIGHT, a->y.lo, a->y.hi, HEIGHT - BOTTOM, TOP);
    html_text(out, "", labels, "\">");
}

void
linechart(struct buf *out, const char *title, const char *caption,
          const struct line *lines, size_t n, struct steps range)
{
    struct bounds b = bounds_of(lines, n, range);
    struct buf labels = {0};
    struct axes a;
    struct display d;

    if (!(b.x0 <= b.x1))
        b = (struct bounds){0, 1, 0, 1};
    scale_linear(&a.x, b.x0, b.x1, 0.02, 6, -INFINITY, INFINITY);
    scale_linear(&a.y, b.y0, b.y1, 0.06, 5, -INFINITY, INFINITY);
    a.x.from = LEFT;
    a.x.to = WIDTH - RIGHT;
    a.y.from = HEIGHT - BOTTOM;
    a.y.to = TOP;
    display_init(&d, WIDTH, HEIGHT, title);
    put_axes(&d, &a);
    put_legend(&d, lines, n);
    for (size_t i = 0; i < n; i++) /* the last, as the cursor expects them */
        if (put_line(&d, &a, &lines[i], i, range))
            buf_printf(&labels, "%s|", lines[i].label);
    put_figure(out, &a, buf_str(&labels));
    html_text(out, "<figcaption>", title, "");
    buf_printf(out, "%s <output aria-live=\"off\"></output></figcaption>", caption);
    svg_draw(out, &d, false);
    buf_puts(out, "</figure>\n");
    display_release(&d);
    buf_release(&labels);
    scale_release(&a.x);
    scale_release(&a.y);
}

struct steps
linechart_steps(const struct request *r)
{
    return (struct steps){request_number(r, "from", 0, 0, INT64_MAX),
                          request_number(r, "to", INT64_MAX, 0, INT64_MAX)};
}

static void
put_number_field(struct buf *out, const struct request *r, const char *name,
                 const char *label)
{
    buf_printf(out, "<label>%s <input name=\"%s\" type=\"number\" min=\"0\"", label,
               name);
    html_text(out, " value=\"", request_get(r, name), "\"></label> ");
}

void
linechart_form(struct buf *out, const struct request *r)
{
    html_text(out, "<form class=\"filter\" action=\"", r->path, "\">");
    for (size_t i = 0; i < r->n_fields; i++)
        if (strcmp(r->fields[i].name, "job") == 0)
            html_text(out, "<input type=\"hidden\" name=\"job\" value=\"",
                      r->fields[i].value, "\">");
    put_number_field(out, r, "from", "From step");
    put_number_field(out, r, "to", "to");
    buf_puts(out, "<button>Look closer</button><span class=\"soft\">or drag over a "
                  "chart; a double click shows all</span></form>\n");
}
