/* defocus_blur.c - the mean over a disk, whose edge is softened by a 3x3 Gaussian. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/corrupt/filter.h"

enum { RADIUS = 4, SIZE = 2 * RADIUS + 1 }; /* disk up to 3, its soft edge, and zeros */

struct lens {
    double radius, sigma;
};

/* kernel (SIZE,SIZE): the pixels with x^2 + y^2 <= radius^2, normalised, then
 * blurred. */
static void
make_disk(float kernel[SIZE * SIZE], const struct lens *lens)
{
    const double edge = exp(-0.5 / (lens->sigma * lens->sigma));
    double sum = 0, blur[9], blur_sum = 0;
    float disk[SIZE * SIZE], soft[9];

    for (int i = 0; i < SIZE * SIZE; i++) {
        const int y = i / SIZE - RADIUS, x = i % SIZE - RADIUS;
        disk[i] = x * x + y * y <= lens->radius * lens->radius ? 1.0f : 0.0f;
        sum += (double)disk[i];
    }
    for (int i = 0; i < SIZE * SIZE; i++)
        disk[i] /= (float)sum;
    for (int i = 0; i < 9; i++) {
        blur[i] = (i / 3 == 1 ? 1 : edge) * (i % 3 == 1 ? 1 : edge);
        blur_sum += blur[i];
    }
    for (int i = 0; i < 9; i++)
        soft[i] = (float)(blur[i] / blur_sum);
    filter_kernel(kernel, disk, SIZE, SIZE, soft, 1);
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const struct lens lenses[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {{.3, .4}, {.4, .5}, {.5, .6}, {1, .2}, {1.5, .1}},
        {{.5, .6}, {1, .1}, {1.5, .1}, {2.5, .01}, {3, .1}}};
    const size_t bytes = (size_t)(h * w) * sizeof(float);
    float kernel[SIZE * SIZE], *blurred = xmalloc(bytes);

    (void)rng;
    make_disk(kernel, &lenses[corruption_scale(h, w)][severity - 1]);
    for (int64_t c = 0; c < CORRUPTION_CHANNELS; c++) {
        float *plane = image + c * h * w;
        filter_kernel(blurred, plane, h, w, kernel, RADIUS);
        memcpy(plane, blurred, bytes);
    }
    free(blurred);
}

const struct corruption corruption_defocus_blur = {
    .name = "defocus_blur",
    .doc = "mean over a disk of radius .3 to 3",
    .index = 3,
    .apply = apply,
};
