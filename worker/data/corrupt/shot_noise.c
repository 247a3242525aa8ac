/*
 * shot_noise.c - what few photons look like: every value is drawn from the Poisson
 * distribution of mean x c, divided by c. Large means are drawn by transformed
 * rejection (Hoermann 1993, algorithm PTRS), small ones by multiplying uniform numbers
 * (Knuth).
 */
#include <math.h>

#include "worker/data/corrupt/corrupt.h"

/* Uniform in (0, 1). */
static double
open_uniform(struct rng *rng)
{
    return ((double)rng_u32(rng) + 0.5) * 0x1p-32;
}

static double
small_poisson(struct rng *rng, double mean)
{
    const double end = exp(-mean);
    double product = open_uniform(rng);
    int k = 0;

    for (; product > end; k++)
        product *= open_uniform(rng);
    return k;
}

/* mean >= 10. The letters are the paper's. */
static double
large_poisson(struct rng *rng, double mean)
{
    const double b = 0.931 + 2.53 * sqrt(mean), a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    const double v_r = 0.9277 - 3.6224 / (b - 2);

    for (;;) {
        const double u = open_uniform(rng) - 0.5, v = open_uniform(rng);
        const double us = 0.5 - fabs(u);
        const double k = floor((2 * a / us + b) * u + mean + 0.43);
        int sign;

        if (us >= 0.07 && v <= v_r)
            return k;
        if (k < 0 || (us < 0.013 && v > us))
            continue;
        if (log(v * inverse_alpha / (a / (us * us) + b))
            <= k * log(mean) - mean - lgamma_r(k + 1, &sign))
            return k;
    }
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const double photons[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {500, 250, 100, 75, 50}, {250, 100, 50, 30, 15}};
    const double c = photons[corruption_scale(h, w)][severity - 1];

    for (int64_t i = 0; i < CORRUPTION_CHANNELS * h * w; i++) {
        const double mean = (double)image[i] * c;
        const double k =
            mean < 10 ? small_poisson(rng, mean) : large_poisson(rng, mean);
        image[i] = (float)(k / c);
    }
}

const struct corruption corruption_shot_noise = {
    .name = "shot_noise",
    .doc = "Poisson noise of 500 to 15 photons",
    .index = 1,
    .apply = apply,
};
