/*
 * frost.c - the image behind a frozen window pane. The generator crops one of five
 * photographs of frost; no photograph is needed here: five textures are computed,
 * ridges of warped value noise drawn out along a direction, in bluish whites. They look
 * alike, but they are not the published ones.
 */
#include <math.h>

#include "worker/data/corrupt/corrupt.h"

enum { PICTURES = 5, PICTURE_SIDE = 200, OCTAVES = 4 };

struct pane {
    float size;             /* of the largest crystals, pixels */
    float stretch, degrees; /* drawn out this many times into this direction */
    float sharpness;        /* of the ridges */
    float ground[3], crystal[3];
};
static const struct pane panes[PICTURES] = {
    {10, 2.5f, 20, 2.5f, {.05f, .12f, .30f}, {1, 1, 1}},
    {6, 1.5f, -60, 2, {.20f, .28f, .42f}, {1, 1, 1}},
    {13, 5, 75, 3, {.08f, .18f, .28f}, {.95f, 1, 1}},
    {8, 1, 0, 2, {.25f, .30f, .40f}, {1, 1, 1}},
    {11, 3, -30, 2.5f, {.02f, .06f, .20f}, {.90f, .97f, 1}},
};

/* Uniform in [0,1), always the same for a point of the lattice. */
static float
lattice(int64_t y, int64_t x, uint32_t layer)
{
    uint32_t v =
        (uint32_t)y * 0x9E3779B1u ^ (uint32_t)x * 0x85EBCA77u ^ layer * 0xC2B2AE3Du;

    v = (v ^ v >> 15) * 0x2C1B3C6Du;
    v = (v ^ v >> 12) * 0x297A2D39u;
    return (float)((v ^ v >> 15) >> 8) * 0x1p-24f;
}

static float
ease(float t)
{
    return t * t * (3 - 2 * t);
}

/* Value noise in [0,1): smooth between the points of the lattice. */
static float
noise(float y, float x, uint32_t layer)
{
    const float top = floorf(y), left = floorf(x);
    const float dy = ease(y - top), dx = ease(x - left);
    const int64_t i = (int64_t)top, j = (int64_t)left;
    const float above = lattice(i, j, layer) * (1 - dx) + lattice(i, j + 1, layer) * dx;
    const float below =
        lattice(i + 1, j, layer) * (1 - dx) + lattice(i + 1, j + 1, layer) * dx;

    return above * (1 - dy) + below * dy;
}

/* How much ice there is at a point, 0..1. */
static float
ice(const struct pane *p, uint32_t picture, float y, float x)
{
    const float angle = p->degrees * (float)M_PI / 180;
    const float along = (x * cosf(angle) + y * sinf(angle)) / p->stretch;
    const float across = y * cosf(angle) - x * sinf(angle);
    float v = across / p->size, u = along / p->size, sum = 0, weight = 0.6f;

    v += 0.8f * noise(v, u, 100 + picture);
    u += 0.8f * noise(v, u, 200 + picture);
    for (uint32_t octave = 0; octave < OCTAVES; octave++) {
        const float ridge = 1 - fabsf(2 * noise(v, u, 10 * picture + octave) - 1);
        sum += weight * powf(ridge, p->sharpness);
        weight /= 1.6f;
        v *= 2;
        u *= 2;
    }
    return sum < 1 ? sum : 1;
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const struct {
        float image, frost;
    } weights[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {{1, .2f}, {1, .3f}, {.9f, .4f}, {.85f, .4f}, {.75f, .45f}},
        {{1, .3f}, {.9f, .4f}, {.8f, .45f}, {.75f, .5f}, {.7f, .55f}}};
    const enum corruption_scale scale = corruption_scale(h, w);
    const float keep = weights[scale][severity - 1].image;
    const float frost = weights[scale][severity - 1].frost;
    const float zoom = scale == CORRUPTION_CIFAR ? 1.0f : 1.5f; /* .2 and .3 */
    const uint32_t picture = rng_below(rng, PICTURES);
    const struct pane *p = &panes[picture];
    const float y0 = (float)rng_below(rng, PICTURE_SIDE);
    const float x0 = (float)rng_below(rng, PICTURE_SIDE);

    for (int64_t i = 0; i < h * w; i++) {
        const int64_t row = i / w, column = i % w;
        const float y = y0 + (float)row, x = x0 + (float)column;
        const float share = ice(p, picture, y / zoom, x / zoom);
        for (int c = 0; c < CORRUPTION_CHANNELS; c++) {
            const float pane = p->ground[c] + (p->crystal[c] - p->ground[c]) * share;
            float *v = image + c * h * w + i;
            *v = keep * *v + frost * pane;
        }
    }
}

const struct corruption corruption_frost = {
    .name = "frost",
    .doc = "behind a frozen pane; the textures are computed",
    .index = 8,
    .apply = apply,
};
