/* ref_ops.c - reference ops in double precision. Independent of the engine on purpose:
 * it shares no code, no layout and no trick with what it checks. */
#include "tests/support/ref_ops.h"

#include <math.h>

int64_t
ref_conv_out(int64_t size, const struct ref_conv *s)
{
    return (size + 2 * s->pad - s->kernel) / s->stride + 1;
}

/* The window at output (i,j), all input channels, times one filter. */
static double
window(const double *x_n, const double *w_k, const struct ref_conv *s, int64_t i,
       int64_t j)
{
    double sum = 0.0;

    for (int64_t t = 0; t < s->c * s->kernel * s->kernel; t++) {
        const int64_t c = t / (s->kernel * s->kernel);
        const int64_t y = i * s->stride + t / s->kernel % s->kernel - s->pad;
        const int64_t x = j * s->stride + t % s->kernel - s->pad;

        if (y >= 0 && y < s->h && x >= 0 && x < s->w)
            sum += w_k[t] * x_n[(c * s->h + y) * s->w + x];
    }
    return sum;
}

void
ref_conv(double *y, const double *x, const double *w, const struct ref_conv *s)
{
    const int64_t p = ref_conv_out(s->h, s), q = ref_conv_out(s->w, s);

    for (int64_t nk = 0; nk < s->n * s->k; nk++) {
        const double *x_n = x + nk / s->k * s->c * s->h * s->w;
        const double *w_k = w + nk % s->k * s->c * s->kernel * s->kernel;

        for (int64_t ij = 0; ij < p * q; ij++)
            y[nk * p * q + ij] = window(x_n, w_k, s, ij / q, ij % q);
    }
}

void
ref_batch_stats(double *mean, double *var, const double *x, int64_t n, int64_t c,
                int64_t pixels)
{
    const double count = (double)(n * pixels);

    for (int64_t k = 0; k < c; k++) {
        mean[k] = var[k] = 0.0;
        for (int64_t i = 0; i < n * pixels; i++)
            mean[k] += x[(i / pixels * c + k) * pixels + i % pixels] / count;
        for (int64_t i = 0; i < n * pixels; i++) {
            const double d = x[(i / pixels * c + k) * pixels + i % pixels] - mean[k];
            var[k] += d * d / count;
        }
    }
}

void
ref_norm(double *y, const double *x, const double *mean, const double *var,
         const double *gamma, const double *beta, int64_t n, int64_t c, int64_t pixels)
{
    for (int64_t i = 0; i < n * c * pixels; i++) {
        const int64_t k = i / pixels % c;
        y[i] = gamma[k] * (x[i] - mean[k]) / sqrt(var[k] + 1e-5) + beta[k];
    }
}

void
ref_masked_relu(double *y, const double *x, const uint8_t *mask, int64_t n,
                int64_t size)
{
    for (int64_t i = 0; i < n * size; i++)
        y[i] = mask[i % size] && x[i] < 0.0 ? 0.0 : x[i];
}

void
ref_add(double *y, const double *a, const double *b, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        y[i] = a[i] + b[i];
}

void
ref_pool(double *y, const double *x, int64_t n, int64_t c, int64_t pixels)
{
    for (int64_t nc = 0; nc < n * c; nc++) {
        y[nc] = 0.0;
        for (int64_t i = 0; i < pixels; i++)
            y[nc] += x[nc * pixels + i] / (double)pixels;
    }
}

void
ref_linear(double *y, const double *x, const double *w, const double *b, int64_t n,
           int64_t k, int64_t c)
{
    for (int64_t i = 0; i < n * k; i++)
        y[i] = b[i % k] + ref_dot(x + i / k * c, w + i % k * c, c);
}

void
ref_normalize(double *y, const double *x, const double *mean, const double *std,
              int64_t n, int64_t c, int64_t pixels)
{
    for (int64_t i = 0; i < n * c * pixels; i++)
        y[i] = (x[i] - mean[i / pixels % c]) / std[i / pixels % c];
}

double
ref_dot(const double *a, const double *b, int64_t n)
{
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

double
ref_derivative(ref_fn *f, void *ctx, double *at)
{
    const double kept = *at, step = 1e-6;

    *at = kept + step;
    const double above = f(ctx);
    *at = kept - step;
    const double below = f(ctx);
    *at = kept;
    return (above - below) / (2.0 * step);
}
