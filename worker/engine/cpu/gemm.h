#ifndef WORKER_ENGINE_CPU_GEMM_H
#define WORKER_ENGINE_CPU_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* OpenBLAS behind 64-bit sizes, on the calling thread. Row-major matrices:
 * c (m,n) = a (m,k) b (k,n), or c += with `accumulate`; a is stored (k,m) when trans_a,
 * b is stored (n,k) when trans_b; ld*: floats from one stored row to the next. */
struct gemm {
    bool trans_a, trans_b, accumulate;
    int64_t m, n, k, lda, ldb, ldc;
};
void gemm(float *c, const float *a, const float *b, const struct gemm *g);

/* Makes OpenBLAS single-threaded; to be called before the first gemm. */
void gemm_init(void);

/* "OpenBLAS 0.3.21 Zen" */
void gemm_describe(char *text, size_t size);

/* The linear layer of both CPU backends; see struct backend. */
void cpu_linear(float *y, const float *x, const float *w, const float *b,
                int64_t images, int64_t k, int64_t c, int64_t stride);
void cpu_linear_backward_data(float *dx, bool accumulate, const float *dy,
                              const float *w, int64_t images, int64_t k, int64_t c,
                              int64_t stride);
void cpu_linear_backward_weights(float *dw, float *db, const float *x, const float *dy,
                                 int64_t images, int64_t k, int64_t c, int64_t stride);

#endif
