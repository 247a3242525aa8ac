/* dnnl.c - the backend `dnnl`, the fast one of x86-64: a pass of a convolution is done by
 * a kernel of our own where one suits its shape (conv_kernel.c), otherwise by oneDNN;
 * everything else by the kernels of maps.c, norm.c and gemm.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/engine/cpu/conv_kernel.h"
#include "worker/engine/cpu/dnnl_conv.h"
#include "worker/engine/cpu/gemm.h"
#include "worker/engine/cpu/maps.h"

struct conv {
    struct conv_shape shape;
    bool gradients;
    const struct conv_kernel *kernels[CONV_PASSES]; /* NULL: the library */
    struct dnnl_conv *library;
};

/* What an attempt's provenance says of the code that computed it. */
static void
describe(char *text, size_t size)
{
    dnnl_conv_describe(text, size);
    const size_t length = strlen(text);

    snprintf(text + length, size - length, ", own kernels %d", CONV_KERNEL_VERSION);
}

/* ---- making ---------------------------------------------------------------------- */

static void
conv_free(struct conv *c)
{
    if (c == NULL)
        return;
    dnnl_conv_free(c->library);
    free(c);
}

static int
conv_new(struct conv **out, const struct conv_shape *shape, bool gradients, int threads,
         struct err *err)
{
    struct conv *c = xcalloc(1, sizeof(*c));
    bool passes[CONV_PASSES];

    gemm_init();
    c->shape = *shape;
    c->gradients = gradients;
    for (int pass = 0; pass < CONV_PASSES; pass++) {
        c->kernels[pass] = conv_kernel_find(shape, pass, dnnl_conv_block());
        passes[pass] = c->kernels[pass] == NULL && (pass == CONV_FORWARD || gradients);
    }
    if (dnnl_conv_new(&c->library, shape, passes, threads, err) < 0) {
        conv_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

static int64_t
packed_size(const struct conv *c, enum conv_pass pass)
{
    const struct conv_kernel *kernel = c->kernels[pass];

    return kernel != NULL ? kernel->packed(&c->shape, dnnl_conv_block())
                          : dnnl_conv_packed(c->library, pass);
}

/* Images that forward and data gradient like to be given; the library: any number. */
static int64_t
images_together(const struct conv *c)
{
    int64_t most = 0;

    for (int pass = CONV_FORWARD; pass <= CONV_BACKWARD_DATA; pass++) {
        const struct conv_kernel *kernel = c->kernels[pass];
        if (kernel == NULL || kernel->together == NULL)
            continue;
        const int64_t images = kernel->together(&c->shape, dnnl_conv_block());
        most = images > most ? images : most;
    }
    return most;
}

/* Those of the weight gradient. */
static void
weight_sizes(struct conv_sizes *sizes, const struct conv *c)
{
    const struct conv_kernel *kernel = c->kernels[CONV_BACKWARD_WEIGHTS];
    const int64_t block = dnnl_conv_block();

    if (kernel == NULL) {
        sizes->partial = dnnl_conv_packed(c->library, CONV_BACKWARD_WEIGHTS);
        sizes->parts = dnnl_conv_parts(c->library);
        return;
    }
    sizes->parts = kernel->parts(&c->shape, block);
    if (kernel->staged != NULL) {
        sizes->staged = kernel->staged(&c->shape, block);
        sizes->stage = kernel->stage_floats(&c->shape, block);
    } else {
        sizes->partial = kernel->partial(&c->shape, block);
    }
}

static struct conv_sizes
conv_sizes(const struct conv *c)
{
    struct conv_sizes sizes = {.packed = {packed_size(c, CONV_FORWARD)},
                               .together = images_together(c)};

    if (!c->gradients)
        return sizes;
    sizes.packed[CONV_BACKWARD_DATA] = packed_size(c, CONV_BACKWARD_DATA);
    weight_sizes(&sizes, c);
    return sizes;
}

static struct map
x_map(const struct conv *c, int64_t images)
{
    const struct conv_shape *s = &c->shape;

    return (struct map){images, s->c, s->h * s->w, s->plain_x ? 1 : dnnl_conv_block()};
}

/* Does this pass make the value of an x that is not stored before it reads it? */
static bool
stores_x(const struct conv *c, enum conv_pass pass)
{
    const struct conv_kernel *kernel = c->kernels[pass];

    return pass != CONV_BACKWARD_DATA && c->shape.lazy_x
           && (kernel == NULL || !kernel->lazy);
}

static int
conv_prepare(int64_t *workspace, struct conv *c, enum conv_pass pass, int64_t images,
             struct err *err)
{
    const struct conv_kernel *kernel = c->kernels[pass];
    const struct map m = x_map(c, images);

    if (kernel != NULL)
        *workspace = kernel->workspace(&c->shape, dnnl_conv_block(), images);
    else if (dnnl_conv_prepare(workspace, c->library, pass, images, err) < 0)
        return -1;
    if (stores_x(c, pass))
        *workspace += map_size(&m);
    return 0;
}

/* ---- running --------------------------------------------------------------------- */

static void
conv_pack(struct conv *c, enum conv_pass pass, float *packed, const float *weight,
          int64_t part, int64_t parts, int thread)
{
    const struct conv_kernel *kernel = c->kernels[pass];

    if (kernel != NULL)
        kernel->pack(packed, weight, &c->shape, dnnl_conv_block(), part, parts);
    else if (part == 0)
        dnnl_conv_pack(c->library, pass, packed, weight, thread);
}

/* x as the pass can read it. */
static struct map_value
readable(const struct conv *c, enum conv_pass pass, const struct map_value *x,
         int64_t images, float **workspace)
{
    const struct map m = x_map(c, images);

    if (!stores_x(c, pass))
        return *x;
    return (struct map_value){.at = cpu_stored(workspace, x, &m)};
}

static void
conv_forward(struct conv *c, float *y, const struct map_value *x, const float *packed,
             const struct conv_after *after, int64_t images, float *workspace,
             int thread)
{
    const struct map_value from = readable(c, CONV_FORWARD, x, images, &workspace);
    const struct conv_kernel *kernel = c->kernels[CONV_FORWARD];
    const struct conv_shape *s = &c->shape;
    const int64_t block = dnnl_conv_block();

    if (kernel != NULL) {
        kernel->forward(y, &from, packed, after, s, block, images, workspace);
        return;
    }
    dnnl_conv_forward(c->library, y, from.at, packed, images, workspace, thread);
    if (after != NULL)
        cpu_conv_after(y, after, &(struct map){images, s->k, s->p * s->q, block});
}

static void
conv_backward_data(struct conv *c, float *dx, bool accumulate, const float *dy,
                   const float *packed, int64_t images, float *workspace, int thread)
{
    const struct conv_kernel *kernel = c->kernels[CONV_BACKWARD_DATA];

    if (kernel != NULL)
        kernel->backward_data(dx, accumulate, dy, packed, &c->shape, dnnl_conv_block(),
                              images, workspace);
    else
        dnnl_conv_backward_data(c->library, dx, accumulate, dy, packed, images,
                                workspace, thread);
}

static void
conv_backward_weights(struct conv *c, float *partial, const struct map_value *x,
                      const float *dy, int64_t images, float *workspace, int thread)
{
    const struct map_value from =
        readable(c, CONV_BACKWARD_WEIGHTS, x, images, &workspace);
    const struct conv_kernel *kernel = c->kernels[CONV_BACKWARD_WEIGHTS];

    if (kernel != NULL)
        kernel->backward_weights(partial, &from, dy, &c->shape, dnnl_conv_block(),
                                 images, workspace);
    else
        dnnl_conv_backward_weights(c->library, partial, from.at, dy, images, workspace,
                                   thread);
}

static void
conv_add_grad(struct conv *c, float *grad, float *partials, int64_t n, int64_t part,
              int thread)
{
    const struct conv_kernel *kernel = c->kernels[CONV_BACKWARD_WEIGHTS];

    if (kernel != NULL)
        kernel->add_grad(grad, partials, n, part, &c->shape, dnnl_conv_block());
    else
        dnnl_conv_add_grad(c->library, grad, partials, n, part, thread);
}

static void
conv_stage(struct conv *c, float *stage, int64_t at, const struct map_value *x,
           const float *dy, float *workspace, int thread)
{
    (void)thread;
    const struct map_value from = readable(c, CONV_BACKWARD_WEIGHTS, x, 1, &workspace);

    c->kernels[CONV_BACKWARD_WEIGHTS]->stage(stage, at, &from, dy, &c->shape,
                                             dnnl_conv_block(), workspace);
}

static void
conv_add_staged(struct conv *c, float *grad, const float *stage, int64_t images,
                int64_t part, float *workspace, int thread)
{
    (void)thread;
    c->kernels[CONV_BACKWARD_WEIGHTS]->add_staged(grad, stage, images, part, &c->shape,
                                                  dnnl_conv_block(), workspace);
}

const struct backend backend_dnnl = {
    .name = "dnnl",
    .describe = describe,
    .block = dnnl_conv_block,
    .conv_new = conv_new,
    .conv_free = conv_free,
    .conv_sizes = conv_sizes,
    .conv_prepare = conv_prepare,
    .conv_pack = conv_pack,
    .conv_forward = conv_forward,
    .conv_backward_data = conv_backward_data,
    .conv_backward_weights = conv_backward_weights,
    .conv_add_grad = conv_add_grad,
    .conv_stage = conv_stage,
    .conv_add_staged = conv_add_staged,
    .linear = cpu_linear,
    .linear_backward_data = cpu_linear_backward_data,
    .linear_backward_weights = cpu_linear_backward_weights,
    CPU_MAP_KERNELS,
};
