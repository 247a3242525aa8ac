#ifndef WORKER_ENGINE_CPU_DNNL_CONV_H
#define WORKER_ENGINE_CPU_DNNL_CONV_H

#include "worker/engine/backend_table.h"

/*
 * Convolutions as oneDNN does them, directly and never by Winograd: the passes for which
 * there is no kernel of our own. Functions are those of struct backend without what may
 * follow; sizes are in floats.
 */
struct dnnl_conv;

/* Channels that lie together in blocked maps: 16 with AVX-512, otherwise 8. */
int64_t dnnl_conv_block(void);
/* "oneDNN 2.6.3 avx2" */
void dnnl_conv_describe(char *text, size_t size);

/* Makes these passes for `threads` threads; caller frees. */
MUST_CHECK int dnnl_conv_new(struct dnnl_conv **out, const struct conv_shape *shape,
                             const bool passes[CONV_PASSES], int threads,
                             struct err *err);
void dnnl_conv_free(struct dnnl_conv *c);

/* Of the weights or their gradient as a pass reads or writes them. */
int64_t dnnl_conv_packed(const struct dnnl_conv *c, enum conv_pass pass);
/* Into how many tasks dnnl_conv_add_grad is cut. */
int64_t dnnl_conv_parts(const struct dnnl_conv *c);
MUST_CHECK int dnnl_conv_prepare(int64_t *workspace, struct dnnl_conv *c,
                                 enum conv_pass pass, int64_t images, struct err *err);
void dnnl_conv_pack(const struct dnnl_conv *c, enum conv_pass pass, float *packed,
                    const float *weight, int thread);
void dnnl_conv_forward(const struct dnnl_conv *c, float *y, const float *x,
                       const float *packed, int64_t images, float *workspace,
                       int thread);
void dnnl_conv_backward_data(const struct dnnl_conv *c, float *dx, bool accumulate,
                             const float *dy, const float *packed, int64_t images,
                             float *workspace, int thread);
void dnnl_conv_backward_weights(const struct dnnl_conv *c, float *partial,
                                const float *x, const float *dy, int64_t images,
                                float *workspace, int thread);
void dnnl_conv_add_grad(const struct dnnl_conv *c, float *grad, float *partials,
                        int64_t n, int64_t part, int thread);

#endif
