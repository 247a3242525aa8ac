/*
 * snow.c - flakes on a whitened image. A layer of normal noise is magnified, cut below
 * a threshold and blurred along the direction of the fall; it is added twice, the
 * second time turned by 180 degrees. The texture is procedural here as in the
 * generator.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/corrupt/filter.h"
#include "worker/data/corrupt/resample.h"

struct weather {
    double mean, deviation, zoom;
    float threshold;
    int radius;
    double sigma;
};

/* layer (h,w); `scratch` as large. */
static void
draw_layer(float *layer, float *scratch, int64_t h, int64_t w, const struct weather *s,
           struct rng *rng)
{
    for (int64_t i = 0; i < h * w; i++)
        scratch[i] = (float)(s->mean + s->deviation * rng_normal(rng));
    resample_zoom(layer, scratch, h, w, s->zoom);
    for (int64_t i = 0; i < h * w; i++)
        if (layer[i] < s->threshold)
            layer[i] = 0;
    corruption_cut(layer, h * w);
    filter_motion(layer, h, w, s->radius, s->sigma,
                  -135 + 90 * (double)rng_uniform(rng));
}

/* x = keep x + (1 - keep) max(x, 1.5 grey + 0.5): everything a little whiter. */
static void
whiten(float *image, int64_t plane, float keep)
{
    float *red = image, *green = red + plane, *blue = green + plane;

    for (int64_t i = 0; i < plane; i++) {
        const float grey = 0.299f * red[i] + 0.587f * green[i] + 0.114f * blue[i];
        const float light = grey * 1.5f + 0.5f;
        for (int c = 0; c < CORRUPTION_CHANNELS; c++) {
            float *v = image + c * plane + i;
            *v = keep * *v + (1 - keep) * (*v > light ? *v : light);
        }
    }
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const struct weather weathers[CORRUPTION_SEVERITIES] = {
        {.1, .2, 1, .6f, 8, 3},
        {.1, .2, 1, .5f, 10, 4},
        {.15, .3, 1.75, .55f, 10, 4},
        {.25, .3, 2.25, .6f, 12, 6},
        {.3, .3, 1.25, .65f, 14, 12}};
    static const float kept[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {.95f, .9f, .9f, .85f, .8f}, {.8f, .8f, .7f, .65f, .6f}};
    const int64_t plane = h * w;
    float *layer = xmalloc((size_t)(2 * plane) * sizeof *layer);

    draw_layer(layer, layer + plane, h, w, &weathers[severity - 1], rng);
    whiten(image, plane, kept[corruption_scale(h, w)][severity - 1]);
    for (int64_t i = 0; i < CORRUPTION_CHANNELS * plane; i++)
        image[i] += layer[i % plane] + layer[plane - 1 - i % plane];
    free(layer);
}

const struct corruption corruption_snow = {
    .name = "snow",
    .doc = "flakes of blurred noise on a whitened image",
    .index = 7,
    .apply = apply,
};
