/*
 * fog.c - a plasma fractal added to the image, which then is scaled back into its
 * range. The fractal is made by the diamond-square algorithm on a torus, as in the
 * generator: wibble w falls by `decay` at each halving of the step, displacements are w
 * U(-w,w).
 */
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/data/corrupt/corrupt.h"

struct plasma {
    float *map;   /* (side,side) */
    int64_t side; /* a power of two */
    double wibble;
    struct rng *rng;
};

static float *
at(const struct plasma *p, int64_t y, int64_t x)
{
    return p->map + (y & (p->side - 1)) * p->side + (x & (p->side - 1));
}

static float
wibbled_mean(struct plasma *p, float a, float b, float c, float d)
{
    const double u = 2 * (double)rng_uniform(p->rng) - 1;

    return (a + b + c + d) / 4 + (float)(p->wibble * p->wibble * u);
}

/* The middle of each square of four points that are `step` apart. */
static void
fill_squares(struct plasma *p, int64_t step)
{
    for (int64_t y = 0; y < p->side; y += step)
        for (int64_t x = 0; x < p->side; x += step)
            *at(p, y + step / 2, x + step / 2) =
                wibbled_mean(p, *at(p, y, x), *at(p, y + step, x), *at(p, y, x + step),
                             *at(p, y + step, x + step));
}

/* The points between two corners of a square and the middles on both sides of it;
 * (y,x) is the first corner, the second lies `dy`, `dx` away. */
static void
fill_diamonds(struct plasma *p, int64_t step, int64_t dy, int64_t dx)
{
    const int64_t half = step / 2;

    for (int64_t y = 0; y < p->side; y += step)
        for (int64_t x = 0; x < p->side; x += step)
            *at(p, y + dy / 2, x + dx / 2) = wibbled_mean(
                p, *at(p, y, x), *at(p, y + dy, x + dx), *at(p, y + half, x + half),
                *at(p, y + half - dx, x + half - dy));
}

/* Scales the map to 0..1. */
static void
normalise(struct plasma *p)
{
    const int64_t n = p->side * p->side;
    float low = p->map[0], high = p->map[0];

    for (int64_t i = 0; i < n; i++) {
        low = p->map[i] < low ? p->map[i] : low;
        high = p->map[i] > high ? p->map[i] : high;
    }
    for (int64_t i = 0; i < n; i++)
        p->map[i] = (p->map[i] - low) / (high - low);
}

static struct plasma
make_plasma(int64_t side, double decay, struct rng *rng)
{
    struct plasma p = {.side = 2, .wibble = 100, .rng = rng};

    while (p.side < side)
        p.side *= 2;
    p.map = xcalloc((size_t)(p.side * p.side), sizeof *p.map);
    for (int64_t step = p.side; step >= 2; step /= 2) {
        fill_squares(&p, step);
        fill_diamonds(&p, step, 0, step);
        fill_diamonds(&p, step, step, 0);
        p.wibble /= decay;
    }
    normalise(&p);
    return p;
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const struct {
        float amount;
        double decay;
    } fogs[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {{.2f, 3}, {.5f, 3}, {.75f, 2.5}, {1, 2}, {1.5f, 1.75}},
        {{.4f, 3}, {.7f, 3}, {1, 2.5}, {1.5f, 2}, {2, 1.75}}};
    const float amount = fogs[corruption_scale(h, w)][severity - 1].amount;
    struct plasma p = make_plasma(
        h > w ? h : w, fogs[corruption_scale(h, w)][severity - 1].decay, rng);
    float brightest = 0;

    for (int64_t i = 0; i < CORRUPTION_CHANNELS * h * w; i++)
        brightest = image[i] > brightest ? image[i] : brightest;
    for (int64_t i = 0; i < CORRUPTION_CHANNELS * h * w; i++) {
        const float mist = *at(&p, i % (h * w) / w, i % w);
        image[i] = (image[i] + amount * mist) * brightest / (brightest + amount);
    }
    free(p.map);
}

const struct corruption corruption_fog = {
    .name = "fog",
    .doc = "plasma fractal of weight .2 to 2",
    .index = 9,
    .apply = apply,
};
