/*
 * corrupt.c - what all corruptions share: the image's random stream, and the way from
 * bytes to floats and back. Knows none of them by name.
 */
#include "worker/data/corrupt/corrupt.h"

#include <assert.h>

/* Far below what separates two results that were not meant to be equal: keeps a value
 * that is a byte / 255 but for float rounding at that byte when it is cut. */
static const float cut_slack = 1e-3f;

static float
clip(float v)
{
    if (!(v > 0))
        return 0;
    return v < 1 ? v : 1;
}

void
corruption_to_bytes(uint8_t *bytes, const float *image, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(clip(image[i]) * 255 + 0.5f);
}

void
corruption_from_bytes(float *image, const uint8_t *bytes, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        image[i] = (float)bytes[i] / 255;
}

void
corruption_cut(float *image, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        image[i] = (float)(uint8_t)(clip(image[i]) * 255 + cut_slack) / 255;
}

enum corruption_scale
corruption_scale(int64_t h, int64_t w)
{
    return h * w < 48 * 48 ? CORRUPTION_CIFAR : CORRUPTION_TINY;
}

void
corruption_apply(float *out, const uint8_t *image, int64_t h, int64_t w,
                 const struct corruption *c, int severity, uint64_t seed,
                 int64_t sample)
{
    const int64_t n = CORRUPTION_CHANNELS * h * w;
    struct rng rng = rng_stream(seed, RNG_CORRUPT, (uint32_t)(c->index * 8 + severity),
                                (uint64_t)sample);

    assert(severity >= 1 && severity <= CORRUPTION_SEVERITIES);
    corruption_from_bytes(out, image, n);
    c->apply(out, h, w, severity, &rng);
    corruption_cut(out, n);
}
