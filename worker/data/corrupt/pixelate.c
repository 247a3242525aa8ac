/*
 * pixelate.c - resized down and up again with Pillow's box filter, bit for bit
 * (Resample.c of Pillow 9.4): each direction in 22-bit fixed point, along rows first, and
 * rounded to bytes in between. A box may cover parts of pixels only by leaving them out:
 * a pixel counts whole or not at all, and the counted ones weigh the same.
 */
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/data/corrupt/corrupt.h"

enum { PRECISION_BITS = 22 };

/* The input pixels [first, first + n) that output pixel `i` averages. */
struct box {
    int64_t first, n;
    int weight; /* of each, fixed point */
};

static struct box
find_box(int64_t i, int64_t from, int64_t to)
{
    const double scale = (double)from / (double)to;
    const double wide = scale < 1 ? 1 : scale;
    const double centre = ((double)i + 0.5) * scale, support = 0.5 * wide;
    int64_t first = (int64_t)(centre - support + 0.5);
    int64_t end = (int64_t)(centre + support + 0.5);

    first = first < 0 ? 0 : first;
    end = end > from ? from : end;
    /* the filter is 1 on (-0.5, 0.5]: the rounded ends may lie just outside */
    while (first < end && ((double)first - centre + 0.5) * (1 / wide) <= -0.5)
        first++;
    while (end > first && ((double)end - 1 - centre + 0.5) * (1 / wide) > 0.5)
        end--;
    const double share = 1.0 / (double)(end - first);
    return (struct box){.first = first,
                        .n = end - first,
                        .weight = (int)(0.5 + share * (1 << PRECISION_BITS))};
}

/* Resizes `lines` lines of `from` pixels to `to` pixels. Pixels of a line are `step`
 * apart, lines `line_in` and `line_out`. */
static void
resize_lines(uint8_t *out, const uint8_t *in, int64_t lines, int64_t from, int64_t to,
             int64_t step, int64_t line_in, int64_t line_out)
{
    for (int64_t i = 0; i < to; i++) {
        const struct box box = find_box(i, from, to);
        for (int64_t l = 0; l < lines; l++) {
            const uint8_t *first = in + l * line_in + box.first * step;
            int64_t sum = 1 << (PRECISION_BITS - 1);
            for (int64_t k = 0; k < box.n; k++)
                sum += (int64_t)first[k * step] * box.weight;
            sum >>= PRECISION_BITS;
            out[l * line_out + i * step] = (uint8_t)(sum > 255 ? 255 : sum);
        }
    }
}

/* out (h1,w1) from in (h0,w0); `between` holds (h0,w1). */
static void
resize_plane(uint8_t *out, const uint8_t *in, int64_t h0, int64_t w0, int64_t h1,
             int64_t w1, uint8_t *between)
{
    resize_lines(between, in, h0, w0, w1, 1, w0, w1);
    resize_lines(out, between, w1, h0, h1, w1, 1, 1);
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const double factors[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {.95, .9, .85, .75, .65}, {.9, .8, .7, .6, .5}};
    const double factor = factors[corruption_scale(h, w)][severity - 1];
    const int64_t small_h = (int64_t)((double)h * factor);
    const int64_t small_w = (int64_t)((double)w * factor);
    uint8_t *plane = xmalloc((size_t)(3 * h * w));
    uint8_t *small = plane + h * w, *between = small + h * w;

    (void)rng;
    for (int64_t c = 0; c < CORRUPTION_CHANNELS; c++) {
        corruption_to_bytes(plane, image + c * h * w, h * w);
        resize_plane(small, plane, h, w, small_h, small_w, between);
        resize_plane(plane, small, small_h, small_w, h, w, between);
        corruption_from_bytes(image + c * h * w, plane, h * w);
    }
    free(plane);
}

const struct corruption corruption_pixelate = {
    .name = "pixelate",
    .doc = "resized to .95 to .5 of its sides and back with a box filter",
    .index = 13,
    .apply = apply,
};
