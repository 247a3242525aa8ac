/* motion_blur.c - a camera that moved, in a random direction within 45 degrees. */
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/corrupt/filter.h"

struct motion {
    int radius;
    double sigma;
};

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const struct motion motions[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}},
        {{10, 1}, {10, 1.5}, {10, 2}, {10, 2.5}, {12, 3}}};
    const struct motion *m = &motions[corruption_scale(h, w)][severity - 1];
    const double degrees = -45 + 90 * (double)rng_uniform(rng);

    for (int64_t c = 0; c < CORRUPTION_CHANNELS; c++)
        filter_motion(image + c * h * w, h, w, m->radius, m->sigma, degrees);
}

const struct corruption corruption_motion_blur = {
    .name = "motion_blur",
    .doc = "moved into a direction of -45 to 45 degrees",
    .index = 5,
    .apply = apply,
};
