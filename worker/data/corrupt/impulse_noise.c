/* impulse_noise.c - salt and pepper: a share of the values, each channel for itself,
 * becomes 0 or 1 (skimage.util.random_noise, mode s&p). */
#include "worker/data/corrupt/corrupt.h"

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const float shares[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {.01f, .02f, .03f, .05f, .07f}, {.01f, .02f, .05f, .08f, .14f}};
    const float share = shares[corruption_scale(h, w)][severity - 1];

    for (int64_t i = 0; i < CORRUPTION_CHANNELS * h * w; i++)
        if (rng_uniform(rng) < share)
            image[i] = (float)rng_below(rng, 2);
}

const struct corruption corruption_impulse_noise = {
    .name = "impulse_noise",
    .doc = "1 to 14 % of the values become black or white",
    .index = 2,
    .apply = apply,
};
