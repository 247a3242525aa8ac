/* filter.c - blurs of single planes. Sums are in double; memory is taken per call, as
 * images are small. Knows no corruption. */
#include "worker/data/corrupt/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/data/corrupt/corrupt.h"

int64_t
filter_index(int64_t i, int64_t n, enum filter_border border)
{
    if (i >= 0 && i < n)
        return i;
    if (border == FILTER_NEAREST)
        return i < 0 ? 0 : n - 1;
    const int64_t period = border == FILTER_REFLECT ? 2 * n : n > 1 ? 2 * n - 2 : 1;
    const int64_t at = ((i % period) + period) % period;
    const int64_t back = border == FILTER_REFLECT ? period - 1 - at : period - at;
    return at < n ? at : back;
}

/* ---- Gaussian -------------------------------------------------------------------- */

/* weights[0..radius], half of the kernel. */
static void
gaussian_weights(double *weights, int64_t radius, double sigma)
{
    double sum = 0;

    for (int64_t i = 0; i <= radius; i++) {
        weights[i] = exp(-0.5 * (double)(i * i) / (sigma * sigma));
        sum += i > 0 ? 2 * weights[i] : weights[i];
    }
    for (int64_t i = 0; i <= radius; i++)
        weights[i] /= sum;
}

/* One line of n values that are `step` apart; `line` holds n + 2 radius. */
static void
blur_line(float *values, int64_t n, int64_t step, double *line, const double *weights,
          int64_t radius, enum filter_border border)
{
    for (int64_t i = -radius; i < n + radius; i++)
        line[i + radius] = (double)values[filter_index(i, n, border) * step];
    for (int64_t i = 0; i < n; i++) {
        const double *centre = line + radius + i;
        double sum = weights[0] * centre[0];
        for (int64_t k = 1; k <= radius; k++)
            sum += weights[k] * (centre[-k] + centre[k]);
        values[i * step] = (float)sum;
    }
}

void
filter_gaussian(float *plane, int64_t h, int64_t w, double sigma, double truncate,
                enum filter_border border)
{
    const int64_t radius = (int64_t)(truncate * sigma + 0.5);
    const int64_t longest = h > w ? h : w;

    if (radius < 1)
        return;
    double *weights =
        xmalloc((size_t)(radius + 1 + longest + 2 * radius) * sizeof *weights);
    double *line = weights + radius + 1;
    gaussian_weights(weights, radius, sigma);
    for (int64_t x = 0; x < w; x++)
        blur_line(plane + x, h, w, line, weights, radius, border);
    for (int64_t y = 0; y < h; y++)
        blur_line(plane + y * w, w, 1, line, weights, radius, border);
    free(weights);
}

/* ---- a kernel of any form -------------------------------------------------------- */

/* The plane with `radius` mirrored pixels around it, rows of w + 2 radius. */
static float *
with_borders(const float *in, int64_t h, int64_t w, int64_t radius)
{
    const int64_t wide = w + 2 * radius, high = h + 2 * radius;
    float *out = xmalloc((size_t)(wide * high) * sizeof *out);

    for (int64_t y = 0; y < high; y++) {
        const float *row = in + filter_index(y - radius, h, FILTER_MIRROR) * w;
        for (int64_t x = 0; x < wide; x++)
            out[y * wide + x] = row[filter_index(x - radius, w, FILTER_MIRROR)];
    }
    return out;
}

static double
kernel_dot(const float *corner, int64_t wide, const float *kernel, int64_t size)
{
    double sum = 0;

    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < size; j++)
            sum += (double)(kernel[i * size + j] * corner[i * wide + j]);
    return sum;
}

void
filter_kernel(float *out, const float *in, int64_t h, int64_t w, const float *kernel,
              int64_t radius)
{
    const int64_t wide = w + 2 * radius;
    float *bordered = with_borders(in, h, w, radius);

    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++)
            out[y * w + x] = (float)kernel_dot(bordered + y * wide + x, wide, kernel,
                                               2 * radius + 1);
    free(bordered);
}

/* ---- motion ---------------------------------------------------------------------- */

/* One pixel of the line: where it is, and what it weighs. */
struct motion_point {
    int64_t dy, dx;
    double weight;
};

static void
motion_points(struct motion_point *points, int64_t n, double sigma, double degrees)
{
    const double angle = degrees * M_PI / 180;
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        points[i].dx = (int64_t)ceil((double)i * cos(angle) - 0.5);
        points[i].dy = (int64_t)ceil((double)i * sin(angle) - 0.5);
        points[i].weight = exp(-(double)(i * i) / (2 * sigma * sigma));
        sum += points[i].weight;
    }
    for (int64_t i = 0; i < n; i++)
        points[i].weight /= sum;
}

static double
motion_sum(const float *plane, int64_t h, int64_t w, int64_t y, int64_t x,
           const struct motion_point *points, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        const int64_t row = filter_index(y + points[i].dy, h, FILTER_NEAREST);
        const int64_t column = filter_index(x + points[i].dx, w, FILTER_NEAREST);
        sum += points[i].weight * (double)plane[row * w + column];
    }
    return sum;
}

void
filter_motion(float *plane, int64_t h, int64_t w, int radius, double sigma,
              double degrees)
{
    const int64_t n = 2 * radius + 1;
    struct motion_point *points = xmalloc((size_t)n * sizeof *points);
    float *in = xmalloc((size_t)(h * w) * sizeof *in);
    uint8_t *bytes = xmalloc((size_t)(h * w));

    memcpy(in, plane, (size_t)(h * w) * sizeof *in);
    motion_points(points, n, sigma, degrees);
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++)
            plane[y * w + x] = (float)motion_sum(in, h, w, y, x, points, n);
    corruption_to_bytes(bytes, plane, h * w);
    corruption_from_bytes(plane, bytes, h * w);
    free(bytes);
    free(in);
    free(points);
}
