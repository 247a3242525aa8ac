#ifndef TESTS_SUPPORT_REF_OPS_H
#define TESTS_SUPPORT_REF_OPS_H

#include <stdint.h>

/*
 * The ops of the engine, written from their formulas in double precision on plain NCHW
 * arrays, as slowly as it reads best. Gradients are not written at all: they are central
 * differences of these functions. Outputs come first.
 */
struct ref_conv {
    int64_t n, c, h, w, k, kernel, stride, pad;
};
int64_t ref_conv_out(int64_t size, const struct ref_conv *s); /* of h or w */

/* y (n,k,p,q), x (n,c,h,w), w (k,c,kernel,kernel) */
void ref_conv(double *y, const double *x, const double *w, const struct ref_conv *s);

/* Mean and biased variance of each channel of x (n,c,pixels). */
void ref_batch_stats(double *mean, double *var, const double *x, int64_t n, int64_t c,
                     int64_t pixels);

/* y = gamma (x - mean) / sqrt(var + 1e-5) + beta */
void ref_norm(double *y, const double *x, const double *mean, const double *var,
              const double *gamma, const double *beta, int64_t n, int64_t c,
              int64_t pixels);

/* y = relu(x*m) + x*(1-m), mask of one image of `size` elements; y may be x */
void ref_masked_relu(double *y, const double *x, const uint8_t *mask, int64_t n,
                     int64_t size);

void ref_add(double *y, const double *a, const double *b, int64_t size);
void ref_pool(double *y, const double *x, int64_t n, int64_t c, int64_t pixels);

/* y (n,k) = x (n,c) w^T + b, w (k,c) */
void ref_linear(double *y, const double *x, const double *w, const double *b, int64_t n,
                int64_t k, int64_t c);

/* y = (x - mean[c]) / std[c] */
void ref_normalize(double *y, const double *x, const double *mean, const double *std,
                   int64_t n, int64_t c, int64_t pixels);

double ref_dot(const double *a, const double *b, int64_t n);

/* Central difference of f with respect to *at, which is restored. */
typedef double ref_fn(void *ctx);
double ref_derivative(ref_fn *f, void *ctx, double *at);

#endif
