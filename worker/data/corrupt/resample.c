/* resample.c - values between pixels. */
#include "worker/data/corrupt/resample.h"

#include <math.h>
#include <stdlib.h>

#include "shared/base/mem.h"

float
resample_point(const float *plane, int64_t h, int64_t w, double y, double x,
               enum filter_border border)
{
    const double top = floor(y), left = floor(x);
    const float dy = (float)(y - top), dx = (float)(x - left);
    const float *row0 = plane + filter_index((int64_t)top, h, border) * w;
    const float *row1 = plane + filter_index((int64_t)top + 1, h, border) * w;
    const int64_t x0 = filter_index((int64_t)left, w, border);
    const int64_t x1 = filter_index((int64_t)left + 1, w, border);
    const float above = row0[x0] + (row0[x1] - row0[x0]) * dx;
    const float below = row1[x0] + (row1[x1] - row1[x0]) * dx;

    return above + (below - above) * dy;
}

/* Where an output pixel of one axis comes from. */
struct site {
    int64_t from, to;
    float share; /* of `to` */
};

static void
zoom_axis(struct site *sites, int64_t n, double factor)
{
    const int64_t kept = (int64_t)ceil((double)n / factor);
    const int64_t stretched = llrint((double)kept * factor);
    const double step =
        stretched > 1 ? (double)(kept - 1) / (double)(stretched - 1) : 0;
    const int64_t top = (n - kept) / 2, trim = (stretched - n) / 2;

    for (int64_t i = 0; i < n; i++) {
        const double at = (double)top + (double)(i + trim) * step;
        const int64_t from = (int64_t)at;
        sites[i] = (struct site){from, filter_index(from + 1, n, FILTER_NEAREST),
                                 (float)(at - (double)from)};
    }
}

static void
zoom_row(float *out, const float *above, const float *below, float share, int64_t w,
         const struct site *columns)
{
    for (int64_t x = 0; x < w; x++) {
        const struct site *s = &columns[x];
        const float a = above[s->from] + (above[s->to] - above[s->from]) * s->share;
        const float b = below[s->from] + (below[s->to] - below[s->from]) * s->share;
        out[x] = a + (b - a) * share;
    }
}

void
resample_zoom(float *out, const float *in, int64_t h, int64_t w, double factor)
{
    struct site *rows = xmalloc((size_t)(h + w) * sizeof *rows), *columns = rows + h;

    zoom_axis(rows, h, factor);
    zoom_axis(columns, w, factor);
    for (int64_t y = 0; y < h; y++)
        zoom_row(out + y * w, in + rows[y].from * w, in + rows[y].to * w, rows[y].share,
                 w, columns);
    free(rows);
}
