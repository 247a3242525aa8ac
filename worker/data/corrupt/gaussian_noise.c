/* gaussian_noise.c - independent normal noise on every channel of every pixel. */
#include "worker/data/corrupt/corrupt.h"

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const double deviations[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {.04, .06, .08, .09, .10}, {.04, .08, .12, .15, .18}};
    const double deviation = deviations[corruption_scale(h, w)][severity - 1];

    for (int64_t i = 0; i < CORRUPTION_CHANNELS * h * w; i++)
        image[i] += (float)(deviation * rng_normal(rng));
}

const struct corruption corruption_gaussian_noise = {
    .name = "gaussian_noise",
    .doc = "normal noise, deviation .04 to .18",
    .index = 0,
    .apply = apply,
};
