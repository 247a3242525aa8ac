/* dnnl_conv.c - convolutions by oneDNN.
 *
 * Maps are nChw8c, or nChw16c with AVX-512. Weights are in whatever layout oneDNN picks
 * for a full slice: packed copies that are made when they changed. There is one primitive
 * for each pass and number of images that occurs. The gradient of a plain input is
 * computed in blocks and then unpacked, because oneDNN is fast only there. */
#include "worker/engine/cpu/dnnl_conv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/engine/cpu/dnnl_prim.h"
#include "worker/engine/cpu/maps.h"

enum { TYPICAL_IMAGES = 8 }; /* for which the layout of weights is picked */

struct dnnl_conv {
    struct conv_shape shape;
    int threads;
    dnnl_memory_desc_t packed[CONV_PASSES]; /* weights as a pass reads or writes them */
    struct dnnl_prim *prims[CONV_PASSES];   /* by number of images */
    size_t n_prims[CONV_PASSES];
    struct dnnl_prim pack[2]; /* plain weights -> packed; by pass */
    struct dnnl_prim unpack;  /* plain gradient += one part of the packed one */
    int64_t parts, part_packed, part_plain; /* floats of a part */
};

static bool
has_isa(dnnl_cpu_isa_t isa)
{
    return ((int)dnnl_get_effective_cpu_isa() & (int)isa) == (int)isa;
}

int64_t
dnnl_conv_block(void)
{
    return has_isa(dnnl_cpu_isa_avx512_core) ? 16 : 8;
}

void
dnnl_conv_describe(char *text, size_t size)
{
    const dnnl_version_t *v = dnnl_version();
    const char *isa = has_isa(dnnl_cpu_isa_avx512_core) ? "avx512"
                      : has_isa(dnnl_cpu_isa_avx2)      ? "avx2"
                                                        : "sse41";

    snprintf(text, size, "oneDNN %d.%d.%d %s", v->major, v->minor, v->patch, isa);
}

/* ---- making primitives ----------------------------------------------------------- */

static dnnl_memory_desc_t
desc_of(int64_t a, int64_t b, int64_t h, int64_t w, dnnl_format_tag_t tag)
{
    const dnnl_dims_t dims = {a, b, h, w};
    dnnl_memory_desc_t desc;
    const dnnl_status_t status =
        dnnl_memory_desc_init_by_tag(&desc, 4, dims, dnnl_f32, tag);

    assert(status == dnnl_success);
    return desc;
}

static dnnl_memory_desc_t
weight_desc(const struct conv_shape *s, dnnl_format_tag_t tag)
{
    return desc_of(s->k, s->c, s->kernel, s->kernel, tag);
}

static dnnl_format_tag_t
blocked_tag(void)
{
    return dnnl_conv_block() == 16 ? dnnl_nChw16c : dnnl_nChw8c;
}

/* x or dx, and y or dy, of a pass. */
static dnnl_memory_desc_t
x_desc(const struct conv_shape *s, enum conv_pass pass, int64_t images)
{
    const bool plain = s->plain_x && pass != CONV_BACKWARD_DATA;

    return desc_of(images, s->c, s->h, s->w, plain ? dnnl_nchw : blocked_tag());
}

static dnnl_memory_desc_t
y_desc(const struct conv_shape *s, int64_t images)
{
    return desc_of(images, s->k, s->p, s->q, blocked_tag());
}

/* The operation of a pass with these layouts. */
static dnnl_status_t
describe_pass(dnnl_convolution_desc_t *out, const struct conv_shape *s,
              enum conv_pass pass, const dnnl_memory_desc_t *x,
              const dnnl_memory_desc_t *weights, const dnnl_memory_desc_t *y)
{
    const dnnl_dims_t strides = {s->stride, s->stride}, pad = {s->pad, s->pad};
    const dnnl_alg_kind_t alg = dnnl_convolution_direct;

    if (pass == CONV_FORWARD)
        return dnnl_convolution_forward_desc_init(out, dnnl_forward_training, alg, x,
                                                  weights, NULL, y, strides, pad, pad);
    if (pass == CONV_BACKWARD_DATA)
        return dnnl_convolution_backward_data_desc_init(out, alg, x, weights, y,
                                                        strides, pad, pad);
    return dnnl_convolution_backward_weights_desc_init(out, alg, x, weights, NULL, y,
                                                       strides, pad, pad);
}

/* A backward pass wants to see the forward pass that it belongs to. */
static dnnl_status_t
make_hint(dnnl_primitive_desc_t *out, dnnl_engine_t engine, const struct conv_shape *s,
          const dnnl_memory_desc_t *x, const dnnl_memory_desc_t *y)
{
    const dnnl_memory_desc_t any = weight_desc(s, dnnl_format_tag_any);
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = describe_pass(&desc, s, CONV_FORWARD, x, &any, y);

    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(out, &desc, NULL, engine, NULL);
}

static int
make_desc(dnnl_primitive_desc_t *out, const struct dnnl_conv *c, enum conv_pass pass,
          int64_t images, const dnnl_memory_desc_t *weights, struct err *err)
{
    dnnl_convolution_desc_t desc;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t hint = NULL;
    const dnnl_memory_desc_t x = x_desc(&c->shape, pass, images);
    const dnnl_memory_desc_t y = y_desc(&c->shape, images);
    dnnl_engine_t engine;

    if (dnnl_prim_engine(&engine, err) < 0)
        return -1;
    dnnl_status_t status = describe_pass(&desc, &c->shape, pass, &x, weights, &y);
    if (status == dnnl_success && pass != CONV_FORWARD)
        status = make_hint(&hint, engine, &c->shape, &x, &y);
    if (status == dnnl_success)
        status = dnnl_prim_attr(&attr);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(out, &desc, attr, engine, hint);
    dnnl_primitive_desc_destroy(hint);
    dnnl_primitive_attr_destroy(attr);
    return status == dnnl_success ? 0 : dnnl_prim_failed(err, "convolution", status);
}

/* Lets oneDNN pick the layout of the weights of a pass. */
static int
pick_layout(struct dnnl_conv *c, enum conv_pass pass, struct err *err)
{
    const dnnl_memory_desc_t any = weight_desc(&c->shape, dnnl_format_tag_any);
    const dnnl_query_t query = pass == CONV_BACKWARD_WEIGHTS
                                   ? dnnl_query_diff_weights_md
                                   : dnnl_query_weights_md;
    dnnl_primitive_desc_t pd = NULL;

    if (make_desc(&pd, c, pass, TYPICAL_IMAGES, &any, err) < 0)
        return -1;
    c->packed[pass] = *dnnl_primitive_desc_query_md(pd, query, 0);
    dnnl_primitive_desc_destroy(pd);
    return 0;
}

static int64_t
desc_floats(const dnnl_memory_desc_t *desc)
{
    return (int64_t)(dnnl_memory_desc_get_size(desc) / sizeof(float));
}

/* Output channels that lie together in a packed gradient whose outermost dimension is
 * blocks of them; all of them where it is anything else. */
static int64_t
channels_together(const dnnl_memory_desc_t *packed)
{
    const dnnl_blocking_desc_t *b = &packed->format_desc.blocking;
    int64_t together = 1;

    if (packed->format_kind != dnnl_blocked)
        return packed->dims[0];
    for (int i = 0; i < b->inner_nblks; i++)
        together *= b->inner_idxs[i] == 0 ? b->inner_blks[i] : 1;
    if (packed->dims[0] % together != 0
        || packed->dims[0] / together * b->strides[0] != desc_floats(packed))
        return packed->dims[0];
    return together;
}

/* The gradient is unpacked in parts of whole output channels. */
static int
make_unpack(struct dnnl_conv *c, struct err *err)
{
    const struct conv_shape *s = &c->shape;
    dnnl_memory_desc_t part = c->packed[CONV_BACKWARD_WEIGHTS];
    const int64_t together = channels_together(&part);
    const dnnl_memory_desc_t plain =
        desc_of(together, s->c, s->kernel, s->kernel, dnnl_oihw);

    c->parts = s->k / together;
    if (c->parts > 1)
        part.dims[0] = part.padded_dims[0] = together;
    c->part_packed = desc_floats(&c->packed[CONV_BACKWARD_WEIGHTS]) / c->parts;
    c->part_plain = together * s->c * s->kernel * s->kernel;
    return dnnl_prim_make_copy(&c->unpack, c->threads, &part, &plain, true, err);
}

static int
make_pack(struct dnnl_conv *c, enum conv_pass pass, struct err *err)
{
    const dnnl_memory_desc_t plain = weight_desc(&c->shape, dnnl_oihw);

    return dnnl_prim_make_copy(&c->pack[pass], c->threads, &plain, &c->packed[pass],
                               false, err);
}

static int
make_passes(struct dnnl_conv *c, const bool passes[CONV_PASSES], struct err *err)
{
    for (int pass = 0; pass < CONV_PASSES; pass++) {
        if (!passes[pass])
            continue;
        if (pick_layout(c, pass, err) < 0)
            return -1;
        const int failed = pass == CONV_BACKWARD_WEIGHTS ? make_unpack(c, err)
                                                         : make_pack(c, pass, err);
        if (failed)
            return -1;
    }
    return 0;
}

int
dnnl_conv_new(struct dnnl_conv **out, const struct conv_shape *shape,
              const bool passes[CONV_PASSES], int threads, struct err *err)
{
    struct dnnl_conv *c = xcalloc(1, sizeof(*c));

    c->shape = *shape;
    c->threads = threads;
    if (make_passes(c, passes, err) < 0) {
        dnnl_conv_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

void
dnnl_conv_free(struct dnnl_conv *c)
{
    if (c == NULL)
        return;
    for (int pass = 0; pass < CONV_PASSES; pass++) {
        for (size_t i = 0; i < c->n_prims[pass]; i++)
            dnnl_prim_release(&c->prims[pass][i]);
        free(c->prims[pass]);
    }
    dnnl_prim_release(&c->pack[CONV_FORWARD]);
    dnnl_prim_release(&c->pack[CONV_BACKWARD_DATA]);
    dnnl_prim_release(&c->unpack);
    free(c);
}

int64_t
dnnl_conv_packed(const struct dnnl_conv *c, enum conv_pass pass)
{
    return desc_floats(&c->packed[pass]);
}

int64_t
dnnl_conv_parts(const struct dnnl_conv *c)
{
    return c->parts;
}

/* ---- running them ---------------------------------------------------------------- */

/* The slot of this number of images. */
static struct dnnl_prim *
slot(struct dnnl_conv *c, enum conv_pass pass, int64_t images)
{
    const size_t n = (size_t)images + 1;

    if (c->n_prims[pass] < n) {
        c->prims[pass] = xrealloc(c->prims[pass], n * sizeof(struct dnnl_prim));
        for (size_t i = c->n_prims[pass]; i < n; i++)
            c->prims[pass][i] = (struct dnnl_prim){0};
        c->n_prims[pass] = n;
    }
    return &c->prims[pass][images];
}

static int
make_pass(struct dnnl_prim *p, const struct dnnl_conv *c, enum conv_pass pass,
          int64_t images, struct err *err)
{
    static const int names[CONV_PASSES][3] = {
        [CONV_FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_WEIGHTS},
        [CONV_BACKWARD_DATA] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS},
        [CONV_BACKWARD_WEIGHTS] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST,
                                   DNNL_ARG_DIFF_WEIGHTS}};
    const struct dnnl_prim_arg args[] = {
        {names[pass][0], x_desc(&c->shape, pass, images)},
        {names[pass][1], y_desc(&c->shape, images)},
        {names[pass][2], c->packed[pass]}};
    dnnl_primitive_desc_t pd = NULL;

    if (make_desc(&pd, c, pass, images, &c->packed[pass], err) < 0)
        return -1;
    return dnnl_prim_make(p, c->threads, pd, args, 3, err);
}

static struct map
x_map(const struct conv_shape *s, int64_t images)
{
    return (struct map){images, s->c, s->h * s->w, dnnl_conv_block()};
}

int
dnnl_conv_prepare(int64_t *workspace, struct dnnl_conv *c, enum conv_pass pass,
                  int64_t images, struct err *err)
{
    struct dnnl_prim *p = slot(c, pass, images);

    if (p->primitive == NULL && make_pass(p, c, pass, images, err) < 0)
        return -1;
    *workspace = p->scratch;
    if (pass == CONV_BACKWARD_DATA) {
        const struct map m = x_map(&c->shape, images);
        *workspace += map_size(&m);
    }
    return 0;
}

void
dnnl_conv_pack(const struct dnnl_conv *c, enum conv_pass pass, float *packed,
               const float *weight, int thread)
{
    assert(c->pack[pass].scratch == 0);
    dnnl_prim_run(&c->pack[pass], thread,
                  (float *[DNNL_PRIM_ARGS]){(float *)weight, packed});
}

/* x, y and w are only written where the pass says so; oneDNN's interface is not const. */
static void
run(const struct dnnl_conv *c, enum conv_pass pass, const float *x, const float *y,
    const float *w, int64_t images, float *scratch, int thread)
{
    float *const data[DNNL_PRIM_ARGS] = {(float *)x, (float *)y, (float *)w, scratch};

    dnnl_prim_run(&c->prims[pass][images], thread, data);
}

void
dnnl_conv_forward(const struct dnnl_conv *c, float *y, const float *x,
                  const float *packed, int64_t images, float *workspace, int thread)
{
    run(c, CONV_FORWARD, x, y, packed, images, workspace, thread);
}

void
dnnl_conv_backward_data(const struct dnnl_conv *c, float *dx, bool accumulate,
                        const float *dy, const float *packed, int64_t images,
                        float *workspace, int thread)
{
    const struct map m = x_map(&c->shape, images);
    float *blocked = workspace, *scratch = workspace + map_size(&m);

    if (!accumulate && !c->shape.plain_x) {
        run(c, CONV_BACKWARD_DATA, dx, dy, packed, images, scratch, thread);
        return;
    }
    run(c, CONV_BACKWARD_DATA, blocked, dy, packed, images, scratch, thread);
    if (c->shape.plain_x)
        cpu_from_blocks(dx, accumulate, blocked, &m);
    else
        cpu_copy(dx, true, blocked, map_size(&m));
}

void
dnnl_conv_backward_weights(const struct dnnl_conv *c, float *partial, const float *x,
                           const float *dy, int64_t images, float *workspace,
                           int thread)
{
    run(c, CONV_BACKWARD_WEIGHTS, x, dy, partial, images, workspace, thread);
}

void
dnnl_conv_add_grad(const struct dnnl_conv *c, float *grad, float *partials, int64_t n,
                   int64_t part, int thread)
{
    const int64_t size = c->part_packed, stride = size * c->parts;
    float *sum = partials + part * size;

    for (int64_t i = 1; i < n; i++)
        cpu_copy(sum, true, sum + i * stride, size);
    assert(c->unpack.scratch == 0);
    dnnl_prim_run(&c->unpack, thread,
                  (float *[DNNL_PRIM_ARGS]){sum, grad + part * c->part_plain});
}
