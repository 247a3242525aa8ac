/* gaussian_noise.c - independent normal noise on every channel of every pixel. */
#include "worker/data/corrupt/corrupt.h"

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const double deviation[CORRUPTION_SEVERITIES] = {.04, .06, .08, .09, .10};

    for (int64_t i = 0; i < CORRUPTION_CHANNELS * h * w; i++)
        image[i] += (float)(deviation[severity - 1] * rng_normal(rng));
}

const struct corruption corruption_gaussian_noise = {
    .name = "gaussian_noise",
    .doc = "normal noise, deviation .04 to .10",
    .index = 0,
    .apply = apply,
};
