/* gemm.c - the only file that includes <cblas.h>: matrix products, and the linear layer
 * that is made of them.
 *
 * Invariant: OpenBLAS runs on the calling thread alone; the team shares out the work. */
#include "worker/engine/cpu/gemm.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* BLAS counts in 32 bits; no matrix of ours is near it. */
static blasint
size32(int64_t n)
{
    assert(n >= 0 && n <= INT_MAX);
    return (blasint)n;
}

void
gemm_init(void)
{
    openblas_set_num_threads(1);
}

/* The configuration starts with "OpenBLAS <version>". */
void
gemm_describe(char *text, size_t size)
{
    char version[32] = "";

    if (sscanf(openblas_get_config(), "OpenBLAS %31s", version) != 1)
        snprintf(version, sizeof(version), "?");
    snprintf(text, size, "OpenBLAS %s %s", version, openblas_get_corename());
}

void
gemm(float *c, const float *a, const float *b, const struct gemm *g)
{
    cblas_sgemm(CblasRowMajor, g->trans_a ? CblasTrans : CblasNoTrans,
                g->trans_b ? CblasTrans : CblasNoTrans, size32(g->m), size32(g->n),
                size32(g->k), 1.0f, a, size32(g->lda), b, size32(g->ldb),
                g->accumulate ? 1.0f : 0.0f, c, size32(g->ldc));
}

void
cpu_linear(float *y, const float *x, const float *w, const float *b, int64_t images,
           int64_t k, int64_t c, int64_t stride)
{
    const struct gemm g = {.trans_b = true,
                           .accumulate = true,
                           .m = images,
                           .n = k,
                           .k = c,
                           .lda = stride,
                           .ldb = c,
                           .ldc = k};

    for (int64_t n = 0; n < images; n++)
        memcpy(y + n * k, b, (size_t)k * sizeof(float));
    gemm(y, x, w, &g);
}

void
cpu_linear_backward_data(float *dx, bool accumulate, const float *dy, const float *w,
                         int64_t images, int64_t k, int64_t c, int64_t stride)
{
    const struct gemm g = {.accumulate = accumulate,
                           .m = images,
                           .n = c,
                           .k = k,
                           .lda = k,
                           .ldb = c,
                           .ldc = stride};

    if (!accumulate)
        memset(dx, 0, (size_t)(images * stride) * sizeof(float));
    gemm(dx, dy, w, &g);
}

void
cpu_linear_backward_weights(float *dw, float *db, const float *x, const float *dy,
                            int64_t images, int64_t k, int64_t c, int64_t stride)
{
    const struct gemm g = {.trans_a = true,
                           .accumulate = true,
                           .m = k,
                           .n = c,
                           .k = images,
                           .lda = k,
                           .ldb = stride,
                           .ldc = c};

    gemm(dw, dy, x, &g);
    for (int64_t n = 0; n < images; n++)
        for (int64_t i = 0; i < k; i++)
            db[i] += dy[n * k + i];
}
