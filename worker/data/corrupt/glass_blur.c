/*
 * glass_blur.c - blurred, pixels displaced at random, blurred again. The generator
 * means to swap a pixel with a neighbour; as its NumPy statement is executed, the
 * neighbour is copied and stays, and so it does here: the published images were made
 * like that.
 */
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/corrupt/filter.h"

struct glass {
    double sigma;
    int max_delta, rounds;
};

static void
blur(float *image, int64_t h, int64_t w, double sigma)
{
    for (int64_t c = 0; c < CORRUPTION_CHANNELS; c++)
        filter_gaussian(image + c * h * w, h, w, sigma, 4, FILTER_NEAREST);
}

/* Uniform in -delta .. delta - 1, as numpy.random.randint(-delta, delta). */
static int64_t
displacement(struct rng *rng, int delta)
{
    return (int64_t)rng_below(rng, 2 * (uint32_t)delta) - delta;
}

static void
displace(float *image, int64_t h, int64_t w, int delta, struct rng *rng)
{
    for (int64_t y = h - delta; y > delta; y--)
        for (int64_t x = w - delta; x > delta; x--) {
            const int64_t dx = displacement(rng, delta);
            const int64_t dy = displacement(rng, delta);
            for (int64_t c = 0; c < CORRUPTION_CHANNELS; c++)
                image[(c * h + y) * w + x] = image[(c * h + y + dy) * w + x + dx];
        }
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const struct glass kinds[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {{.05, 1, 1}, {.25, 1, 1}, {.4, 1, 1}, {.25, 1, 2}, {.4, 1, 2}},
        {{.1, 1, 1}, {.5, 1, 1}, {.6, 1, 2}, {.7, 2, 1}, {.9, 2, 2}}};
    const struct glass *g = &kinds[corruption_scale(h, w)][severity - 1];

    blur(image, h, w, g->sigma);
    corruption_cut(image, CORRUPTION_CHANNELS * h * w);
    for (int i = 0; i < g->rounds; i++)
        displace(image, h, w, g->max_delta, rng);
    blur(image, h, w, g->sigma);
}

const struct corruption corruption_glass_blur = {
    .name = "glass_blur",
    .doc = "pixels displaced by 1 or 2 between two blurs",
    .index = 4,
    .apply = apply,
};
