#ifndef WORKER_DATA_CORRUPT_FILTER_H
#define WORKER_DATA_CORRUPT_FILTER_H

#include <stdint.h>

/* Filters of one plane (h,w) of floats, as the benchmark's generator takes them from
 * scikit-image, OpenCV and ImageMagick. */

/* What lies beyond the border of a b c d. */
enum filter_border {
    FILTER_NEAREST, /* a a | a b c d | d d */
    FILTER_REFLECT, /* b a | a b c d | d c */
    FILTER_MIRROR,  /* c b | a b c d | c b */
};

/* The position in 0..n-1 that stands for i, any whole number. */
int64_t filter_index(int64_t i, int64_t n, enum filter_border border);

/* In place, first along columns, then along rows: weights exp(-x^2 / (2 sigma^2)),
 * |x| <= floor(truncate sigma + 1/2), normalised. sigma 0 changes nothing. */
void filter_gaussian(float *plane, int64_t h, int64_t w, double sigma, double truncate,
                     enum filter_border border);

/* out[y,x] = sum over |i|,|j| <= r of kernel[i + r, j + r] in[y + i, x + j], r = radius,
 * with mirrored borders. out and in do not overlap. */
void filter_kernel(float *out, const float *in, int64_t h, int64_t w,
                   const float *kernel, int64_t radius);

/* ImageMagick's motion blur: the mean of the pixels on a line that starts here and goes
 * into the direction `degrees` (x to the right, y down), weighted
 * exp(-i^2 / (2 sigma^2)), i = 0..2 radius, borders repeated; rounded to bytes / 255. In
 * place. */
void filter_motion(float *plane, int64_t h, int64_t w, int radius, double sigma,
                   double degrees);

#endif
