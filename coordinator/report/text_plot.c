/*
 * text_plot.c - a Pareto plot in characters. Later marks do not cover earlier ones:
 * points on the front come first, published ones last.
 */
#include "coordinator/report/text_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/escape.h"
#include "coordinator/report/number.h"
#include "coordinator/report/scale.h"
#include "shared/base/mem.h"

enum { ROWS = 14, MARGIN = 8, COLUMNS_MAX = 100, COLUMNS_LEAST = 40, SERIES_MAX = 26 };

struct canvas {
    const struct chart *c;
    size_t columns; /* that all lines have */
    char *cells;    /* ROWS x width */
    size_t width;
    struct scale x, y;
};

static char *
cell_at(struct canvas *v, double x, double y)
{
    const double column = round(scale_at(&v->x, x)), row = round(scale_at(&v->y, y));

    if (!(column >= 0 && column < (double)v->width && row >= 0 && row < ROWS))
        return NULL;
    return &v->cells[(size_t)row * v->width + (size_t)column];
}

static void
put(struct canvas *v, double x, double y, char mark)
{
    char *cell = cell_at(v, x, y);

    if (cell != NULL && *cell == ' ')
        *cell = mark;
}

static char
letter(size_t series, bool front)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";
    static const char capital[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return (front ? capital : small)[series % SERIES_MAX];
}

static void
extend(double *lo, double *hi, double v)
{
    *lo = fmin(*lo, v);
    *hi = fmax(*hi, v);
}

static void
make_scales(struct canvas *v)
{
    double x1 = INFINITY, x2 = -INFINITY, y1 = INFINITY, y2 = -INFINITY;
    const struct chart *c = v->c;

    for (size_t i = 0; i < c->n_points; i++) {
        extend(&x1, &x2, c->points[i].x);
        extend(&y1, &y2, c->points[i].y);
    }
    for (size_t i = 0; i < c->n_references; i++)
        extend(&y1, &y2, c->references[i].y);
    for (size_t i = 0; i < c->n_references && c->n_points == 0; i++)
        extend(&x1, &x2, c->references[i].x);
    if (x1 > 0)
        scale_log(&v->x, x1, x2, 0.03);
    else
        scale_linear(&v->x, x1, x2, 0.03, 6, -INFINITY, INFINITY);
    scale_linear(&v->y, y1, y2, 0.06, 4, -INFINITY, INFINITY);
    v->x.from = 0;
    v->x.to = (double)v->width - 1;
    v->y.from = ROWS - 1;
    v->y.to = 0;
}

static void
put_points(struct canvas *v, bool front)
{
    for (size_t i = 0; i < v->c->n_points; i++)
        if (v->c->points[i].on_front == front)
            put(v, v->c->points[i].x, v->c->points[i].y,
                letter(v->c->points[i].series, front));
}

static void
put_others(struct canvas *v)
{
    const struct chart *c = v->c;

    for (size_t i = 0; i < c->n_curves; i++)
        for (size_t k = 0; k < c->curves[i].n; k++)
            put(v, c->curves[i].x[k], c->curves[i].y[k], '.');
    for (size_t i = 0; i < c->n_references; i++) {
        const double row = round(scale_at(&v->y, c->references[i].y));
        for (size_t k = 0; k < v->width; k += 2) {
            char *cell = &v->cells[(size_t)row * v->width + k];
            if (*cell == ' ')
                *cell = '-';
        }
    }
}

/* The y tick that falls on this row, right-aligned in the margin. */
static void
put_margin(struct buf *out, const struct canvas *v, size_t row)
{
    for (size_t i = 0; i < v->y.n_ticks; i++)
        if (round(scale_at(&v->y, v->y.ticks[i])) == (double)row) {
            buf_printf(out, "%*.6g |", MARGIN - 2, v->y.ticks[i]);
            return;
        }
    buf_printf(out, "%*s |", MARGIN - 2, "");
}

static void
put_rows(struct buf *out, const struct canvas *v)
{
    for (size_t row = 0; row < ROWS; row++) {
        put_margin(out, v, row);
        size_t n = v->width;
        const char *cells = v->cells + row * v->width;
        while (n > 0 && cells[n - 1] == ' ')
            n--;
        buf_add(out, cells, n);
        buf_putc(out, '\n');
    }
}

/* The line of the axis and the labels of the ticks that fit below it. */
static void
put_x_axis(struct buf *out, const struct canvas *v)
{
    char *labels = xcalloc(v->width + 1, 1);
    size_t free_from = 0;

    memset(labels, ' ', v->width);
    buf_printf(out, "%*s +", MARGIN - 2, "");
    for (size_t i = 0; i < v->width; i++)
        buf_putc(out, '-');
    for (size_t i = 0; i < v->x.n_ticks; i++) {
        struct buf text = {0};
        number_short(&text, v->x.ticks[i]);
        const double at = round(scale_at(&v->x, v->x.ticks[i])) - (double)text.len / 2;
        const size_t from = at > 0 ? (size_t)at : 0;
        if (from >= free_from && from + text.len <= v->width) {
            memcpy(labels + from, text.data, text.len);
            free_from = from + text.len + 1;
        }
        buf_release(&text);
    }
    for (size_t n = v->width; n > 0 && labels[n - 1] == ' ';)
        labels[--n] = '\0';
    buf_printf(out, "\n%*s%s\n", MARGIN, "", labels);
    free(labels);
}

/* A line of the legend, cut where the columns end. */
static void
put_line(struct buf *out, const struct canvas *v, char mark, const char *words)
{
    struct buf clean = {0};
    size_t at = 0, room = v->columns - MARGIN - 2;

    escape_terminal(&clean, words);
    buf_printf(out, "%*s%c ", MARGIN, "", mark);
    for (const char *text = buf_str(&clean); text[at] != '\0'; at++)
        if (((unsigned char)text[at] & 0xC0) != 0x80 && room-- == 0)
            break;
    buf_add(out, buf_str(&clean), at);
    buf_putc(out, '\n');
    buf_release(&clean);
}

/* "CA, %, against relus" */
static void
put_heading(struct buf *out, const struct canvas *v)
{
    struct buf words = {0};

    buf_printf(&words, "%s%s%s, against %s", v->c->metric,
               v->c->unit[0] != '\0' ? ", " : "", v->c->unit, v->c->x);
    put_line(out, v, ' ', buf_str(&words));
    buf_release(&words);
}

static void
put_legend(struct buf *out, const struct canvas *v)
{
    const struct chart *c = v->c;

    for (size_t i = 0; i < c->n_series && c->n_series > 1 && i < SERIES_MAX; i++)
        put_line(out, v, letter(i, false), c->series[i]);
    put_line(out, v, 'A',
             c->averaged ? "capital: on the Pareto front of means"
                         : "capital: on the Pareto front");
    if (c->n_references > 0)
        put_line(out, v, '-', "all ReLUs");
    if (c->n_curves > 0)
        put_line(out, v, '.', "published");
}

void
text_plot(struct buf *out, const struct chart *c, size_t columns)
{
    struct canvas v = {.c = c,
                       .columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX};

    if (c->missing != NULL || columns < COLUMNS_LEAST)
        return;
    v.width = v.columns - MARGIN;
    v.cells = xcalloc(ROWS, v.width);
    memset(v.cells, ' ', ROWS * v.width);
    make_scales(&v);
    put_points(&v, true);
    put_points(&v, false);
    put_others(&v);
    put_heading(out, &v);
    put_rows(out, &v);
    put_x_axis(out, &v);
    put_legend(out, &v);
    scale_release(&v.x);
    scale_release(&v.y);
    free(v.cells);
}
