/* blas.c - the backend `blas`: convolution as im2col and matrix product, plain NCHW.
 *
 * It is the readable reference and runs wherever OpenBLAS does. For one image
 *
 *   cols (C*R*R, P*Q): cols[(c,r,s),(i,j)] = x[c, i*stride + r - pad, j*stride + s - pad]
 *   y = w cols,   dcols = w^T dy (added back by col2im),   dw += dy cols^T
 *
 * with w as (K, C*R*R). A 1x1 convolution of stride 1 needs no columns. Weights are read
 * in their plain layout, so nothing is packed. */
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/engine/cpu/gemm.h"
#include "worker/engine/cpu/maps.h"

enum { GRAD_PARTS = 16 };

struct conv {
    struct conv_shape shape;
};

static int64_t
block_of_blas(void)
{
    return 1;
}

static int
conv_new(struct conv **out, const struct conv_shape *shape, bool gradients, int threads,
         struct err *err)
{
    (void)gradients, (void)threads, (void)err;
    gemm_init();
    *out = xcalloc(1, sizeof(**out));
    (*out)->shape = *shape;
    return 0;
}

static void
conv_free(struct conv *c)
{
    free(c);
}

static int64_t
n_cols(const struct conv_shape *s)
{
    return s->c * s->kernel * s->kernel;
}

static struct conv_sizes
conv_sizes(const struct conv *c)
{
    const struct conv_shape *s = &c->shape;

    return (struct conv_sizes){.partial = s->k * n_cols(s), .parts = GRAD_PARTS};
}

static bool
is_product(const struct conv_shape *s)
{
    return s->kernel == 1 && s->stride == 1 && s->pad == 0;
}

static int
conv_prepare(int64_t *workspace, struct conv *c, enum conv_pass pass, int64_t images,
             struct err *err)
{
    (void)err;
    const struct conv_shape *s = &c->shape;

    *workspace = is_product(s) ? 0 : n_cols(s) * s->p * s->q;
    if (s->lazy_x && pass != CONV_BACKWARD_DATA)
        *workspace += images * s->c * s->h * s->w;
    return 0;
}

static void
conv_pack(struct conv *c, enum conv_pass pass, float *packed, const float *weight,
          int64_t part, int64_t parts, int thread)
{
    (void)c, (void)pass, (void)packed, (void)weight, (void)part, (void)parts;
    (void)thread;
}

/* Row (c,r,s) of cols from x[c,:,:]. */
static void
gather_row(float *row, const float *x_c, const struct conv_shape *s, int64_t r,
           int64_t q)
{
    for (int64_t i = 0; i < s->p; i++) {
        const int64_t y = i * s->stride + r - s->pad;
        for (int64_t j = 0; j < s->q; j++) {
            const int64_t x = j * s->stride + q - s->pad;
            const bool inside = y >= 0 && y < s->h && x >= 0 && x < s->w;
            row[i * s->q + j] = inside ? x_c[y * s->w + x] : 0.0f;
        }
    }
}

/* The reverse: adds row (c,r,s) to dx[c,:,:]. */
static void
scatter_row(float *dx_c, const float *row, const struct conv_shape *s, int64_t r,
            int64_t q)
{
    for (int64_t i = 0; i < s->p; i++) {
        const int64_t y = i * s->stride + r - s->pad;
        if (y < 0 || y >= s->h)
            continue;
        for (int64_t j = 0; j < s->q; j++) {
            const int64_t x = j * s->stride + q - s->pad;
            if (x >= 0 && x < s->w)
                dx_c[y * s->w + x] += row[i * s->q + j];
        }
    }
}

/* cols of one image; x itself where the convolution is a product. */
static const float *
im2col(float *cols, const float *x, const struct conv_shape *s)
{
    const int64_t taps = s->kernel * s->kernel;

    if (is_product(s))
        return x;
    for (int64_t row = 0; row < n_cols(s); row++) {
        const int64_t tap = row % taps;
        gather_row(cols + row * s->p * s->q, x + row / taps * s->h * s->w, s,
                   tap / s->kernel, tap % s->kernel);
    }
    return cols;
}

static void
col2im(float *dx, const float *cols, const struct conv_shape *s)
{
    const int64_t taps = s->kernel * s->kernel;

    for (int64_t row = 0; row < n_cols(s); row++) {
        const int64_t tap = row % taps;
        scatter_row(dx + row / taps * s->h * s->w, cols + row * s->p * s->q, s,
                    tap / s->kernel, tap % s->kernel);
    }
}

/* x, made in the workspace where it is not stored. */
static const float *
stored(float **workspace, const struct map_value *x, const struct conv_shape *s,
       int64_t images)
{
    return cpu_stored(workspace, x, &(struct map){images, s->c, s->h * s->w, 1});
}

static void
conv_forward(struct conv *c, float *y, const struct map_value *value,
             const float *weight, const struct conv_after *after, int64_t images,
             float *workspace, int thread)
{
    (void)thread;
    const struct conv_shape *s = &c->shape;
    const float *x = stored(&workspace, value, s, images);
    const int64_t pixels = s->p * s->q, depth = n_cols(s);
    const struct gemm g = {
        .m = s->k, .n = pixels, .k = depth, .lda = depth, .ldb = pixels, .ldc = pixels};

    for (int64_t n = 0; n < images; n++) {
        const float *cols = im2col(workspace, x + n * s->c * s->h * s->w, s);
        gemm(y + n * s->k * pixels, weight, cols, &g);
    }
    if (after != NULL)
        cpu_conv_after(y, after, &(struct map){images, s->k, pixels, 1});
}

static void
conv_backward_data(struct conv *c, float *dx, bool accumulate, const float *dy,
                   const float *weight, int64_t images, float *workspace, int thread)
{
    (void)thread;
    const struct conv_shape *s = &c->shape;
    const int64_t pixels = s->p * s->q, depth = n_cols(s), size = s->c * s->h * s->w;
    struct gemm g = {.trans_a = true,
                     .m = depth,
                     .n = pixels,
                     .k = s->k,
                     .lda = depth,
                     .ldb = pixels,
                     .ldc = pixels};

    if (!accumulate)
        memset(dx, 0, (size_t)(images * size) * sizeof(float));
    g.accumulate = is_product(s);
    for (int64_t n = 0; n < images; n++) {
        float *cols = is_product(s) ? dx + n * size : workspace;
        gemm(cols, weight, dy + n * s->k * pixels, &g);
        if (!is_product(s))
            col2im(dx + n * size, cols, s);
    }
}

static void
conv_backward_weights(struct conv *c, float *partial, const struct map_value *value,
                      const float *dy, int64_t images, float *workspace, int thread)
{
    (void)thread;
    const struct conv_shape *s = &c->shape;
    const float *x = stored(&workspace, value, s, images);
    const int64_t pixels = s->p * s->q, depth = n_cols(s);
    struct gemm g = {.trans_b = true,
                     .m = s->k,
                     .n = depth,
                     .k = pixels,
                     .lda = pixels,
                     .ldb = pixels,
                     .ldc = depth};

    for (int64_t n = 0; n < images; n++) {
        const float *cols = im2col(workspace, x + n * s->c * s->h * s->w, s);
        g.accumulate = n > 0;
        gemm(partial, dy + n * s->k * pixels, cols, &g);
    }
}

static void
conv_add_grad(struct conv *c, float *grad, float *partials, int64_t n, int64_t part,
              int thread)
{
    (void)thread;
    const int64_t size = c->shape.k * n_cols(&c->shape);
    const int64_t from = part * size / GRAD_PARTS, to = (part + 1) * size / GRAD_PARTS;

    for (int64_t i = 1; i < n; i++)
        cpu_copy(partials + from, true, partials + i * size + from, to - from);
    cpu_copy(grad + from, true, partials + from, to - from);
}

const struct backend backend_blas = {
    .name = "blas",
    .describe = gemm_describe,
    .block = block_of_blas,
    .conv_new = conv_new,
    .conv_free = conv_free,
    .conv_sizes = conv_sizes,
    .conv_prepare = conv_prepare,
    .conv_pack = conv_pack,
    .conv_forward = conv_forward,
    .conv_backward_data = conv_backward_data,
    .conv_backward_weights = conv_backward_weights,
    .conv_add_grad = conv_add_grad,
    .linear = cpu_linear,
    .linear_backward_data = cpu_linear_backward_data,
    .linear_backward_weights = cpu_linear_backward_weights,
    CPU_MAP_KERNELS,
};
