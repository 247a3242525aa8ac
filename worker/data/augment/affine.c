/*
 * affine.c - affine maps of byte planes. Everything is computed in double and in
 * Pillow's order, because the result is truncated to bytes: one different rounding is
 * one different byte.
 */
#include "worker/data/augment/affine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/data/augment/no_fma.h"

enum { CHANNELS = 3 };

/* Takes the centre of an output pixel to the input:
 * (a (x+.5) + b (y+.5) + c, d (x+.5) + e (y+.5) + f). */
struct affine {
    double a, b, c, d, e, f;
};

/* Where an output pixel comes from: four input pixels and the weights between them. */
struct site {
    int64_t p00, p01, p10, p11; /* offsets in a plane */
    double dx, dy;
};

static int64_t
clamp(int64_t v, int64_t end)
{
    if (v < 0)
        return 0;
    return v < end ? v : end - 1;
}

/* x, y: from the centre of pixel (0,0), inside the image, so at least -0.5. */
static struct site
find_site(double x, double y, int64_t h, int64_t w)
{
    const int64_t left = x >= 0 ? (int64_t)x : -1;
    const int64_t top = y >= 0 ? (int64_t)y : -1;
    const int64_t x0 = clamp(left, w), x1 = clamp(left + 1, w);
    const int64_t row0 = clamp(top, h) * w;
    const int64_t row1 = top + 1 < h ? (top + 1) * w : row0;

    return (struct site){.p00 = row0 + x0,
                         .p01 = row0 + x1,
                         .p10 = row1 + x0,
                         .p11 = row1 + x1,
                         .dx = x - (double)left,
                         .dy = y - (double)top};
}

/* A weight of exactly 0, as in every shear, leaves the first value as it is. */
static inline double
between(double from, double to, double weight)
{
    return from + (to - from) * weight;
}

static inline uint8_t
interpolate(const uint8_t *plane, const struct site *s)
{
    if (s->dy == 0)
        return (uint8_t)between(plane[s->p00], plane[s->p01], s->dx);
    if (s->dx == 0)
        return (uint8_t)between(plane[s->p00], plane[s->p10], s->dy);
    return (uint8_t)between(between(plane[s->p00], plane[s->p01], s->dx),
                            between(plane[s->p10], plane[s->p11], s->dx), s->dy);
}

/* One output row; cy is its centre. */
static void
transform_row(uint8_t *out, const uint8_t *in, int64_t h, int64_t w,
              const struct affine *m, double cy)
{
    const int64_t plane = h * w;

    for (int64_t i = 0; i < w; i++) {
        const double cx = (double)i + 0.5;
        const double x = m->a * cx + m->b * cy + m->c;
        const double y = m->d * cx + m->e * cy + m->f;

        if (!(x >= 0 && x < (double)w && y >= 0 && y < (double)h)) {
            out[i] = out[i + plane] = out[i + 2 * plane] = 0;
            continue;
        }
        const struct site s = find_site(x - 0.5, y - 0.5, h, w);
        for (int64_t c = 0; c < CHANNELS; c++)
            out[i + c * plane] = interpolate(in + c * plane, &s);
    }
}

static void
transform(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, const struct affine *m)
{
    for (int64_t y = 0; y < h; y++)
        transform_row(out + y * w, in, h, w, m, (double)y + 0.5);
}

/* Python's round(v, 15): the nearest decimal number with 15 places. */
static double
round15(double v)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%.15f", v);
    return strtod(text, NULL);
}

void
affine_rotate(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double degrees)
{
    const double turn = fmod(degrees, 360) + (degrees < 0 ? 360 : 0);
    const double angle = -(turn * (M_PI / 180));
    const double cx = (double)w / 2, cy = (double)h / 2;
    struct affine m = {.a = round15(cos(angle)),
                       .b = round15(sin(angle)),
                       .d = round15(-sin(angle)),
                       .e = round15(cos(angle))};

    if (degrees == 0) {
        memcpy(out, in, (size_t)(CHANNELS * h * w));
        return;
    }
    m.c = m.a * -cx + m.b * -cy + 0.0 + cx;
    m.f = m.d * -cx + m.e * -cy + 0.0 + cy;
    transform(out, in, h, w, &m);
}

void
affine_shear_x(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double l)
{
    transform(out, in, h, w, &(struct affine){.a = 1, .b = l, .e = 1});
}

void
affine_shear_y(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double l)
{
    transform(out, in, h, w, &(struct affine){.a = 1, .d = l, .e = 1});
}

void
affine_translate_x(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double l)
{
    const int64_t left = clamp((int64_t)l, w + 1);
    const int64_t right = clamp(-(int64_t)l, w + 1);
    const size_t kept = (size_t)(w - left - right);

    memset(out, 0, (size_t)(CHANNELS * h * w));
    for (int64_t row = 0; row < CHANNELS * h; row++)
        memcpy(out + row * w + right, in + row * w + left, kept);
}

void
affine_translate_y(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double l)
{
    const int64_t up = clamp((int64_t)l, h + 1);
    const int64_t down = clamp(-(int64_t)l, h + 1);
    const size_t kept = (size_t)((h - up - down) * w);

    memset(out, 0, (size_t)(CHANNELS * h * w));
    for (int64_t c = 0; c < CHANNELS; c++)
        memcpy(out + (c * h + down) * w, in + (c * h + up) * w, kept);
}
