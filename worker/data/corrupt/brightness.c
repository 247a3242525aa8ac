/*
 * brightness.c - adds to V of HSV. With H and S kept, r, g and b are multiples of
 * V = max(r,g,b), so the conversion there and back is a scaling by V'/V.
 */
#include "worker/data/corrupt/corrupt.h"

static float
largest(float a, float b, float c)
{
    const float ab = a > b ? a : b;

    return ab > c ? ab : c;
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const float added[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {.05f, .1f, .15f, .2f, .3f}, {.1f, .2f, .3f, .4f, .5f}};
    const float more = added[corruption_scale(h, w)][severity - 1];
    float *red = image, *green = red + h * w, *blue = green + h * w;

    (void)rng;
    for (int64_t i = 0; i < h * w; i++) {
        const float v = largest(red[i], green[i], blue[i]);
        const float sum = v + more;
        const float brighter = sum < 1 ? sum : 1;

        /* black has no hue and becomes grey */
        red[i] = v > 0 ? red[i] / v * brighter : brighter;
        green[i] = v > 0 ? green[i] / v * brighter : brighter;
        blue[i] = v > 0 ? blue[i] / v * brighter : brighter;
    }
}

const struct corruption corruption_brightness = {
    .name = "brightness",
    .doc = "adds .05 to .5 to the value of HSV",
    .index = 10,
    .apply = apply,
};
