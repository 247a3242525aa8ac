/*
 * elastic_transform.c - a random affine map, then every pixel displaced by a smooth
 * random field (Simard 2003). Bilinear both times; OpenCV, which the generator uses for
 * the affine map, rounds its coordinates to 1/32 pixel, which is not repeated here.
 */
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/corrupt/resample.h"

/* In units of the side length. */
struct elastic {
    double alpha, sigma, jitter;
};

static double
between(struct rng *rng, double low, double high)
{
    return low + (high - low) * (double)rng_uniform(rng);
}

/* (x,y) -> (a x + b y + c, d x + e y + f) */
struct affine {
    double a, b, c, d, e, f;
};

/* The map that takes point q[i] to p[i], by Cramer's rule. */
static struct affine
affine_through(const double q[3][2], const double p[3][2])
{
    const double ux = q[0][0] - q[2][0], uy = q[0][1] - q[2][1];
    const double vx = q[1][0] - q[2][0], vy = q[1][1] - q[2][1];
    const double det = ux * vy - vx * uy;
    double m[2][2], shift[2];

    for (int k = 0; k < 2; k++) {
        const double up = p[0][k] - p[2][k], vp = p[1][k] - p[2][k];
        m[k][0] = (up * vy - vp * uy) / det;
        m[k][1] = (vp * ux - up * vx) / det;
        shift[k] = p[2][k] - m[k][0] * q[2][0] - m[k][1] * q[2][1];
    }
    return (struct affine){m[0][0], m[0][1], shift[0], m[1][0], m[1][1], shift[1]};
}

/* From the result back to the image: three corners of a square about the middle, a
 * third of the side away from it, were moved by up to `jitter` pixels each way. */
static struct affine
draw_affine(int64_t h, int64_t w, double jitter, struct rng *rng)
{
    const int64_t third = (h < w ? h : w) / 3, half_w = w / 2, half_h = h / 2;
    const double s = (double)third, x = (double)half_w, y = (double)half_h;
    const double from[3][2] = {{x + s, y + s}, {x + s, y - s}, {x - s, y - s}};
    double to[3][2];

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++)
            to[i][k] = from[i][k] + between(rng, -jitter, jitter);
    return affine_through(to, from);
}

static void
warp(float *out, const float *in, int64_t h, int64_t w, const struct affine *m)
{
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++)
            out[y * w + x] = resample_point(
                in, h, w, m->d * (double)x + m->e * (double)y + m->f,
                m->a * (double)x + m->b * (double)y + m->c, FILTER_MIRROR);
}

/* field (h,w): displacements in pixels. */
static void
draw_field(float *field, int64_t h, int64_t w, double alpha, double sigma,
           struct rng *rng)
{
    for (int64_t i = 0; i < h * w; i++)
        field[i] = (float)between(rng, -1, 1);
    filter_gaussian(field, h, w, sigma, 3, FILTER_REFLECT);
    for (int64_t i = 0; i < h * w; i++)
        field[i] *= (float)alpha;
}

static void
displace(float *out, const float *in, int64_t h, int64_t w, const float *dy,
         const float *dx)
{
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            const int64_t i = y * w + x;
            out[i] = resample_point(in, h, w, (double)y + (double)dy[i],
                                    (double)x + (double)dx[i], FILTER_REFLECT);
        }
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const struct elastic kinds[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {{0, 0, .08}, {.05, .2, .07}, {.08, .06, .06}, {.1, .04, .05}, {.1, .03, .03}},
        {{0, 0, .08}, {.05, .3, .06}, {.1, .08, .06}, {.1, .03, .03}, {.16, .03, .02}}};
    const struct elastic *e = &kinds[corruption_scale(h, w)][severity - 1];
    const double side = (double)(h < w ? h : w);
    const int64_t n = h * w;
    float *dx = xmalloc((size_t)(3 * n) * sizeof *dx), *dy = dx + n, *warped = dy + n;

    const struct affine m = draw_affine(h, w, e->jitter * side, rng);
    draw_field(dx, h, w, e->alpha * side, e->sigma * side, rng);
    draw_field(dy, h, w, e->alpha * side, e->sigma * side, rng);
    for (int64_t c = 0; c < CORRUPTION_CHANNELS; c++) {
        warp(warped, image + c * n, h, w, &m);
        displace(image + c * n, warped, h, w, dy, dx);
    }
    free(dx);
}

const struct corruption corruption_elastic_transform = {
    .name = "elastic_transform",
    .doc = "random affine map and a smooth random field of displacements",
    .index = 12,
    .apply = apply,
};
