/* contrast.c - shrinks every channel towards its mean over the image. */
#include "worker/data/corrupt/corrupt.h"

static float
mean_of(const float *plane, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)plane[i];
    return (float)(sum / (double)n);
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const float factors[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {.75f, .5f, .4f, .3f, .15f}, {.4f, .3f, .2f, .1f, .05f}};
    const float factor = factors[corruption_scale(h, w)][severity - 1];

    (void)rng;
    for (int64_t c = 0; c < CORRUPTION_CHANNELS; c++) {
        float *plane = image + c * h * w;
        const float mean = mean_of(plane, h * w);
        for (int64_t i = 0; i < h * w; i++)
            plane[i] = (plane[i] - mean) * factor + mean;
    }
}

const struct corruption corruption_contrast = {
    .name = "contrast",
    .doc = "differences from the channel's mean times .75 to .05",
    .index = 11,
    .apply = apply,
};
