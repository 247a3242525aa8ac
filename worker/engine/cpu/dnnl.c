/* dnnl.c - the backend `dnnl`: convolutions by oneDNN, everything else by the kernels of
 * maps.c, norm.c and gemm.c. The only file that includes <dnnl.h>.
 *
 * Activations are nChw8c, or nChw16c with AVX-512. Weights are in whatever layout oneDNN
 * picks for a full slice: packed copies that are made when they changed. There is one
 * primitive for each pass and number of images that occurs. The gradient of a plain
 * input is computed in blocks and then unpacked, because oneDNN is fast only there.
 *
 * Invariant: oneDNN never starts threads. Its OpenMP is limited to one thread in every
 * thread that makes or runs a primitive, so each primitive is made for one thread and
 * its result does not depend on the size of the team. */
#include <assert.h>
#include <dnnl.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/engine/cpu/conv_kernel.h"
#include "worker/engine/cpu/gemm.h"
#include "worker/engine/cpu/maps.h"

#if DNNL_VERSION_MAJOR != 2
#error "this file speaks oneDNN 2; version 3 changed descriptors and attributes"
#endif

enum { TYPICAL_IMAGES = 8 }; /* for which the layout of weights is picked */
enum { MAX_ARGS = 4 };

/* A primitive that any thread of a team may run at any time: memory objects and streams
 * are there once for each thread, the scratchpad is the caller's. */
struct prim {
    dnnl_primitive_t primitive;
    int threads, n_args;
    dnnl_exec_arg_t *args; /* MAX_ARGS of each thread; the scratchpad is the last */
    dnnl_stream_t *streams;
    int64_t scratch; /* floats */
};

/* One argument: DNNL_ARG_* and its layout. */
struct prim_arg {
    int name;
    dnnl_memory_desc_t desc;
};

struct conv {
    struct conv_shape shape;
    int threads;
    bool gradients;
    const struct conv_kernel
        *kernels[CONV_PASSES];              /* NULL: oneDNN, with what follows */
    dnnl_memory_desc_t packed[CONV_PASSES]; /* weights as a pass reads or writes them */
    struct prim *prims[CONV_PASSES];        /* by number of images */
    size_t n_prims[CONV_PASSES];
    struct prim pack[2]; /* plain weights -> packed; by pass */
    struct prim unpack;  /* plain gradient += one part of the packed one */
    int64_t parts, part_packed, part_plain; /* floats of a part */
};

/* ---- primitives ------------------------------------------------------------------ */

static dnnl_engine_t engine;
static dnnl_status_t engine_status;

static int
failed(struct err *err, const char *what, dnnl_status_t status)
{
    const enum err_kind kind = status == dnnl_out_of_memory ? ERR_OOM : ERR_BUG;

    return err_set(err, kind, "oneDNN: %s failed with status %d", what, (int)status);
}

/* Limits OpenMP in this thread; cheap after the first time. */
static void
enter_thread(void)
{
    static _Thread_local bool entered;

    if (!entered)
        omp_set_num_threads(1);
    entered = true;
}

static void
make_engine(void)
{
    engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0);
}

/* Makes the CPU engine at first use; it is never released. */
static int
need_engine(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    enter_thread();
    pthread_once(&once, make_engine);
    return engine_status == dnnl_success ? 0 : failed(err, "engine", engine_status);
}

/* Attributes that ask for a scratchpad from the user; caller destroys. */
static dnnl_status_t
make_attr(dnnl_primitive_attr_t *out)
{
    const dnnl_status_t status = dnnl_primitive_attr_create(out);

    if (status != dnnl_success)
        return status;
    return dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
}

/* Stream and memory objects of one thread. */
static dnnl_status_t
bind_thread(struct prim *p, int thread, const struct prim_arg *args)
{
    dnnl_exec_arg_t *bound = p->args + (int64_t)thread * MAX_ARGS;
    dnnl_status_t status =
        dnnl_stream_create(&p->streams[thread], engine, dnnl_stream_default_flags);

    for (int i = 0; i < p->n_args && status == dnnl_success; i++) {
        bound[i].arg = args[i].name;
        status = dnnl_memory_create(&bound[i].memory, &args[i].desc, engine,
                                    DNNL_MEMORY_NONE);
    }
    return status;
}

/* Makes a primitive of `pd` (taken, also on failure) with n arguments; the scratchpad is
 * added as one more. On failure prim_release is the caller's. */
static int
prim_make(struct prim *p, int threads, dnnl_primitive_desc_t pd,
          const struct prim_arg *args, int n, struct err *err)
{
    struct prim_arg all[MAX_ARGS];

    assert(n < MAX_ARGS);
    for (int i = 0; i < n; i++)
        all[i] = args[i];
    all[n].name = DNNL_ARG_SCRATCHPAD;
    all[n].desc = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->scratch = ((int64_t)dnnl_memory_desc_get_size(&all[n].desc) + 3) / 4;
    p->threads = threads;
    p->n_args = n + 1;
    p->args = xcalloc((size_t)threads * MAX_ARGS, sizeof(*p->args));
    p->streams = xcalloc((size_t)threads, sizeof(dnnl_stream_t));

    dnnl_status_t status = dnnl_primitive_create(&p->primitive, pd);
    dnnl_primitive_desc_destroy(pd);
    for (int t = 0; t < threads && status == dnnl_success; t++)
        status = bind_thread(p, t, all);
    return status == dnnl_success ? 0 : failed(err, "primitive", status);
}

static dnnl_status_t
reorder_attr(dnnl_primitive_attr_t *attr, bool accumulate)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = make_attr(attr);

    if (status != dnnl_success || !accumulate)
        return status;
    status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success)
        status = dnnl_post_ops_append_sum(ops, 1.0f);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    return status;
}

/* A primitive that copies `from` into layout `to`, or adds to it. */
static int
prim_make_reorder(struct prim *p, int threads, const dnnl_memory_desc_t *from,
                  const dnnl_memory_desc_t *to, bool accumulate, struct err *err)
{
    const struct prim_arg args[] = {{DNNL_ARG_FROM, *from}, {DNNL_ARG_TO, *to}};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = reorder_attr(&attr, accumulate);

    if (status == dnnl_success)
        status =
            dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, attr);
    dnnl_primitive_attr_destroy(attr);
    if (status != dnnl_success)
        return failed(err, "reorder", status);
    return prim_make(p, threads, pd, args, 2, err);
}

static void
prim_release(struct prim *p)
{
    for (int i = 0; p->args != NULL && i < p->threads * MAX_ARGS; i++)
        if (p->args[i].memory != NULL)
            dnnl_memory_destroy(p->args[i].memory);
    for (int t = 0; p->streams != NULL && t < p->threads; t++)
        if (p->streams[t] != NULL)
            dnnl_stream_destroy(p->streams[t]);
    if (p->primitive != NULL)
        dnnl_primitive_destroy(p->primitive);
    free(p->args);
    free(p->streams);
    *p = (struct prim){0};
}

/* oneDNN zeroes padding when a pointer is set, so an unchanged one is left alone: packed
 * weights are shared by the threads. */
static void
point_to(dnnl_memory_t memory, float *data)
{
    void *old = NULL;

    dnnl_memory_get_data_handle(memory, &old);
    if (old != data)
        dnnl_memory_set_data_handle(memory, data);
}

/* Runs on the calling thread, which is `thread` of its team. data: of the arguments in
 * their order, and then the scratchpad. */
static void
prim_run(const struct prim *p, int thread, float *const data[MAX_ARGS])
{
    const dnnl_exec_arg_t *args = p->args + (int64_t)thread * MAX_ARGS;

    enter_thread();
    for (int i = 0; i < p->n_args; i++)
        point_to(args[i].memory, data[i]);
    const dnnl_status_t status =
        dnnl_primitive_execute(p->primitive, p->streams[thread], p->n_args, args);
    assert(status == dnnl_success); /* sizes were checked when it was made */
}

static bool
has_isa(dnnl_cpu_isa_t isa)
{
    return ((int)dnnl_get_effective_cpu_isa() & (int)isa) == (int)isa;
}

static int64_t
block_of_dnnl(void)
{
    return has_isa(dnnl_cpu_isa_avx512_core) ? 16 : 8;
}

static void
describe(char *text, size_t size)
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
    return block_of_dnnl() == 16 ? dnnl_nChw16c : dnnl_nChw8c;
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
make_hint(dnnl_primitive_desc_t *out, const struct conv_shape *s,
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
make_desc(dnnl_primitive_desc_t *out, const struct conv *c, enum conv_pass pass,
          int64_t images, const dnnl_memory_desc_t *weights, struct err *err)
{
    dnnl_convolution_desc_t desc;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t hint = NULL;
    const dnnl_memory_desc_t x = x_desc(&c->shape, pass, images);
    const dnnl_memory_desc_t y = y_desc(&c->shape, images);

    if (need_engine(err) < 0)
        return -1;
    dnnl_status_t status = describe_pass(&desc, &c->shape, pass, &x, weights, &y);
    if (status == dnnl_success && pass != CONV_FORWARD)
        status = make_hint(&hint, &c->shape, &x, &y);
    if (status == dnnl_success)
        status = make_attr(&attr);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(out, &desc, attr, engine, hint);
    dnnl_primitive_desc_destroy(hint);
    dnnl_primitive_attr_destroy(attr);
    return status == dnnl_success ? 0 : failed(err, "convolution", status);
}

/* Lets oneDNN pick the layout of the weights of a pass. */
static int
pick_layout(struct conv *c, enum conv_pass pass, struct err *err)
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
make_unpack(struct conv *c, struct err *err)
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
    return prim_make_reorder(&c->unpack, c->threads, &part, &plain, true, err);
}

static int
make_conv(struct conv *c, bool gradients, struct err *err)
{
    const dnnl_memory_desc_t plain = weight_desc(&c->shape, dnnl_oihw);
    const int n_pack = gradients ? 2 : 1;

    for (int pass = 0; pass < n_pack; pass++)
        if (c->kernels[pass] == NULL
            && (pick_layout(c, pass, err) < 0
                || prim_make_reorder(&c->pack[pass], c->threads, &plain,
                                     &c->packed[pass], false, err)
                       < 0))
            return -1;
    if (!gradients || c->kernels[CONV_BACKWARD_WEIGHTS] != NULL)
        return 0;
    if (pick_layout(c, CONV_BACKWARD_WEIGHTS, err) < 0)
        return -1;
    return make_unpack(c, err);
}

static void
conv_free(struct conv *c)
{
    if (c == NULL)
        return;
    for (int pass = 0; pass < CONV_PASSES; pass++) {
        for (size_t i = 0; i < c->n_prims[pass]; i++)
            prim_release(&c->prims[pass][i]);
        free(c->prims[pass]);
    }
    prim_release(&c->pack[CONV_FORWARD]);
    prim_release(&c->pack[CONV_BACKWARD_DATA]);
    prim_release(&c->unpack);
    free(c);
}

static int
conv_new(struct conv **out, const struct conv_shape *shape, bool gradients, int threads,
         struct err *err)
{
    struct conv *c = xcalloc(1, sizeof(*c));

    gemm_init();
    c->shape = *shape;
    c->threads = threads;
    c->gradients = gradients;
    for (int pass = 0; pass < CONV_PASSES; pass++)
        c->kernels[pass] = conv_kernel_find(shape, pass, block_of_dnnl());
    if (make_conv(c, gradients, err) < 0) {
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

    if (kernel != NULL)
        return kernel->packed(&c->shape, block_of_dnnl());
    return desc_floats(&c->packed[pass]);
}

static struct conv_sizes
conv_sizes(const struct conv *c)
{
    const struct conv_kernel *kernel = c->kernels[CONV_BACKWARD_WEIGHTS];
    struct conv_sizes sizes = {.packed = {packed_size(c, CONV_FORWARD)}};

    if (!c->gradients)
        return sizes;
    sizes.packed[CONV_BACKWARD_DATA] = packed_size(c, CONV_BACKWARD_DATA);
    if (kernel != NULL) {
        sizes.partial = kernel->partial(&c->shape, block_of_dnnl());
        sizes.parts = kernel->parts(&c->shape, block_of_dnnl());
    } else {
        sizes.partial = desc_floats(&c->packed[CONV_BACKWARD_WEIGHTS]);
        sizes.parts = c->parts;
    }
    return sizes;
}

/* ---- running them ---------------------------------------------------------------- */

/* The slot of this number of images. */
static struct prim *
slot(struct conv *c, enum conv_pass pass, int64_t images)
{
    const size_t n = (size_t)images + 1;

    if (c->n_prims[pass] < n) {
        c->prims[pass] = xrealloc(c->prims[pass], n * sizeof(struct prim));
        for (size_t i = c->n_prims[pass]; i < n; i++)
            c->prims[pass][i] = (struct prim){0};
        c->n_prims[pass] = n;
    }
    return &c->prims[pass][images];
}

static int
make_pass(struct prim *p, const struct conv *c, enum conv_pass pass, int64_t images,
          struct err *err)
{
    static const int names[CONV_PASSES][3] = {
        [CONV_FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_WEIGHTS},
        [CONV_BACKWARD_DATA] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS},
        [CONV_BACKWARD_WEIGHTS] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST,
                                   DNNL_ARG_DIFF_WEIGHTS}};
    const struct prim_arg args[] = {{names[pass][0], x_desc(&c->shape, pass, images)},
                                    {names[pass][1], y_desc(&c->shape, images)},
                                    {names[pass][2], c->packed[pass]}};
    dnnl_primitive_desc_t pd = NULL;

    if (make_desc(&pd, c, pass, images, &c->packed[pass], err) < 0)
        return -1;
    return prim_make(p, c->threads, pd, args, 3, err);
}

static struct map
x_map(const struct conv_shape *s, int64_t images)
{
    return (struct map){images, s->c, s->h * s->w, block_of_dnnl()};
}

static int
conv_prepare(int64_t *workspace, struct conv *c, enum conv_pass pass, int64_t images,
             struct err *err)
{
    if (c->kernels[pass] != NULL) {
        *workspace = c->kernels[pass]->workspace(&c->shape, block_of_dnnl(), images);
        return 0;
    }
    struct prim *p = slot(c, pass, images);
    if (p->primitive == NULL && make_pass(p, c, pass, images, err) < 0)
        return -1;
    *workspace = p->scratch;
    if (pass == CONV_BACKWARD_DATA) {
        const struct map m = x_map(&c->shape, images);
        *workspace += map_size(&m);
    }
    return 0;
}

static void
conv_pack(struct conv *c, enum conv_pass pass, float *packed, const float *weight,
          int thread)
{
    if (c->kernels[pass] != NULL) {
        c->kernels[pass]->pack(packed, weight, &c->shape, block_of_dnnl());
        return;
    }
    assert(c->pack[pass].scratch == 0);
    prim_run(&c->pack[pass], thread, (float *[MAX_ARGS]){(float *)weight, packed});
}

/* x, y and w are only written where the pass says so; oneDNN's interface is not const. */
static void
run(const struct conv *c, enum conv_pass pass, const float *x, const float *y,
    const float *w, int64_t images, float *scratch, int thread)
{
    float *const data[MAX_ARGS] = {(float *)x, (float *)y, (float *)w, scratch};

    prim_run(&c->prims[pass][images], thread, data);
}

static void
conv_forward(struct conv *c, float *y, const float *x, const float *packed,
             const struct conv_after *after, int64_t images, float *workspace,
             int thread)
{
    const struct conv_shape *s = &c->shape;
    const int64_t block = block_of_dnnl();

    if (c->kernels[CONV_FORWARD] != NULL) {
        c->kernels[CONV_FORWARD]->forward(y, x, packed, after, s, block, images,
                                          workspace);
        return;
    }
    run(c, CONV_FORWARD, x, y, packed, images, workspace, thread);
    if (after != NULL)
        cpu_conv_after(y, after, &(struct map){images, s->k, s->p * s->q, block});
}

static void
conv_backward_data(struct conv *c, float *dx, bool accumulate, const float *dy,
                   const float *packed, int64_t images, float *workspace, int thread)
{
    const struct conv_kernel *kernel = c->kernels[CONV_BACKWARD_DATA];
    const struct map m = x_map(&c->shape, images);
    float *blocked = workspace, *scratch = workspace + map_size(&m);

    if (kernel != NULL) {
        kernel->backward_data(dx, accumulate, dy, packed, &c->shape, block_of_dnnl(),
                              images, workspace);
        return;
    }
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

static void
conv_backward_weights(struct conv *c, float *partial, const float *x, const float *dy,
                      int64_t images, float *workspace, int thread)
{
    const struct conv_kernel *kernel = c->kernels[CONV_BACKWARD_WEIGHTS];

    if (kernel != NULL) {
        kernel->backward_weights(partial, x, dy, &c->shape, block_of_dnnl(), images,
                                 workspace);
        return;
    }
    run(c, CONV_BACKWARD_WEIGHTS, x, dy, partial, images, workspace, thread);
}

static void
conv_add_grad(struct conv *c, float *grad, float *partials, int64_t n, int64_t part,
              int thread)
{
    const struct conv_kernel *kernel = c->kernels[CONV_BACKWARD_WEIGHTS];
    const int64_t size = c->part_packed, stride = size * c->parts;
    float *sum = partials + part * size;

    if (kernel != NULL) {
        kernel->add_grad(grad, partials, n, part, &c->shape, block_of_dnnl());
        return;
    }
    for (int64_t i = 1; i < n; i++)
        cpu_copy(sum, true, sum + i * stride, size);
    assert(c->unpack.scratch == 0);
    prim_run(&c->unpack, thread, (float *[MAX_ARGS]){sum, grad + part * c->part_plain});
}

const struct backend backend_dnnl = {
    .name = "dnnl",
    .describe = describe,
    .block = block_of_dnnl,
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
