/*
 * conv_bench.c - each convolution of a network, each pass, by the kernel that the backend
 * chooses and by the library alone: `conv_bench [MODEL [SIZE [SECONDS]]]`.
 *
 * A pass goes over ROUND slices of 8 images, as a step does, so that maps come from the
 * memory that they come from there. The time is the shortest of many rounds, of this
 * thread's own processor time. GFLOP/s count what direct convolution would need.
 *
 * The linker sends the backend's question for a kernel of our own to the function here
 * (--wrap), which can say that there is none.
 */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/base/mem.h"
#include "worker/engine/backend.h"
#include "worker/engine/cpu/conv_kernel.h"
#include "worker/engine/graph_node.h"
#include "worker/engine/ops/op.h"
#include "worker/models/model.h"

enum { ROUND = 4, MAX_SHAPES = 64 };

struct counted {
    struct conv_shape shape;
    int times; /* in the network */
};

/* One convolution made ready for every pass over a slice. */
struct work {
    const struct backend *backend;
    struct conv_shape shape;
    struct conv *conv;
    struct conv_sizes sizes;
    float *x, *y, *dx; /* ROUND slices; y is also dy */
    float *weight, *grad, *packed[2], *workspace;
    float *partial;         /* or a stage */
    int64_t x_size, y_size; /* of a slice, in floats */
};

/* ---- with and without kernels of our own ------------------------------------------ */

static bool library_alone;

const struct conv_kernel *__real_conv_kernel_find(const struct conv_shape *s,
                                                  enum conv_pass pass, int64_t block);
const struct conv_kernel *__wrap_conv_kernel_find(const struct conv_shape *s,
                                                  enum conv_pass pass, int64_t block);

const struct conv_kernel *
__wrap_conv_kernel_find(const struct conv_shape *s, enum conv_pass pass, int64_t block)
{
    return library_alone ? NULL : __real_conv_kernel_find(s, pass, block);
}

/* ---- one convolution --------------------------------------------------------------- */

static float *
random_floats(int64_t n)
{
    float *v = mem_large_alloc((size_t)n * sizeof(float));

    for (int64_t i = 0; v != NULL && i < n; i++)
        v[i] = (float)(i * 2654435761U % 1024) / 1024.0f - 0.5f;
    if (v == NULL)
        abort();
    return v;
}

static void
work_open(struct work *w, const struct backend *backend, const struct conv_shape *s)
{
    const int64_t block = backend->block();
    const struct map x = {OP_SLICE, s->c, s->h * s->w, s->plain_x ? 1 : block};
    const struct map y = {OP_SLICE, s->k, s->p * s->q, block};
    const int64_t n_weights = s->k * s->c * s->kernel * s->kernel;
    struct err err;
    int64_t need, most = 1;

    *w = (struct work){.backend = backend, .shape = *s};
    w->x_size = map_size(&x);
    w->y_size = map_size(&y);
    int rc = backend->conv_new(&w->conv, s, true, 1, &err);
    for (int pass = 0; pass < CONV_PASSES && rc == 0; pass++) {
        rc = backend->conv_prepare(&need, w->conv, pass, OP_SLICE, &err);
        most = rc == 0 && need > most ? need : most;
    }
    if (rc != 0) {
        fprintf(stderr, "conv_bench: %s\n", err.text);
        exit(1);
    }
    w->sizes = backend->conv_sizes(w->conv);
    w->x = random_floats(ROUND * w->x_size);
    w->dx = random_floats(ROUND * w->x_size);
    w->y = random_floats(ROUND * w->y_size);
    w->weight = random_floats(n_weights);
    w->grad = random_floats(n_weights);
    w->partial = random_floats(w->sizes.partial + w->sizes.stage);
    w->workspace = random_floats(most);
    for (int pass = 0; pass < 2; pass++) {
        w->packed[pass] = random_floats(w->sizes.packed[pass] + 1);
        if (w->sizes.packed[pass] > 0)
            backend->conv_pack(w->conv, pass, w->packed[pass], w->weight, 0, 1, 0);
    }
}

static void
work_close(struct work *w)
{
    float *all[] = {w->x,       w->dx,        w->y,         w->weight,   w->grad,
                    w->partial, w->workspace, w->packed[0], w->packed[1]};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        mem_large_free(all[i]);
    w->backend->conv_free(w->conv);
}

static void
run_slice(struct work *w, enum conv_pass pass, int64_t slice)
{
    float *x = w->x + slice * w->x_size, *dx = w->dx + slice * w->x_size;
    float *y = w->y + slice * w->y_size;
    const float *weights =
        pass < 2 && w->sizes.packed[pass] > 0 ? w->packed[pass] : w->weight;

    if (pass == CONV_FORWARD)
        w->backend->conv_forward(w->conv, y, &(struct map_value){.at = x}, weights,
                                 NULL, OP_SLICE, w->workspace, 0);
    else
        w->backend->conv_backward_data(w->conv, dx, false, y, weights, OP_SLICE,
                                       w->workspace, 0);
}

/* Partial sums are added to the plain gradient once for each slice, as in a batch of
 * eight slices. */
static void
run_partials(struct work *w)
{
    for (int64_t i = 0; i < ROUND; i++) {
        const struct map_value x = {.at = w->x + i * w->x_size};

        w->backend->conv_backward_weights(w->conv, w->partial, &x, w->y + i * w->y_size,
                                          OP_SLICE, w->workspace, 0);
        for (int64_t part = 0; part < w->sizes.parts; part++)
            w->backend->conv_add_grad(w->conv, w->grad, w->partial, 1, part, 0);
    }
}

static void
run_stages(struct work *w)
{
    const int64_t x_image = w->x_size / OP_SLICE, y_image = w->y_size / OP_SLICE;
    const int64_t all = ROUND * OP_SLICE, most = w->sizes.staged;

    for (int64_t first = 0; first < all; first += most) {
        const int64_t n = all - first < most ? all - first : most;

        for (int64_t i = 0; i < n; i++)
            w->backend->conv_stage(
                w->conv, w->partial, i,
                &(struct map_value){.at = w->x + (first + i) * x_image},
                w->y + (first + i) * y_image, w->workspace, 0);
        for (int64_t part = 0; part < w->sizes.parts; part++)
            w->backend->conv_add_staged(w->conv, w->grad, w->partial, n, part,
                                        w->workspace, 0);
    }
}

static void
run_round(struct work *w, enum conv_pass pass)
{
    if (pass == CONV_BACKWARD_WEIGHTS && w->sizes.staged > 0)
        run_stages(w);
    else if (pass == CONV_BACKWARD_WEIGHTS)
        run_partials(w);
    else
        for (int64_t i = 0; i < ROUND; i++)
            run_slice(w, pass, i);
}

static double
thread_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Of one slice: the mean over the shortest of the rounds that fit into `limit`
 * seconds. */
static double
shortest(struct work *w, enum conv_pass pass, double limit)
{
    const double start = thread_seconds();
    double best = DBL_MAX;

    for (int n = 0; n < 3 || thread_seconds() - start < limit; n++) {
        const double from = thread_seconds();
        run_round(w, pass);
        const double took = (thread_seconds() - from) / ROUND;
        best = took < best ? took : best;
    }
    return best;
}

/* ---- all of a network -------------------------------------------------------------- */

static struct conv_shape
shape_of(const struct graph *g, const struct graph_node *node)
{
    const struct graph_node *x = &g->nodes[node->in[0]];

    return (struct conv_shape){.c = x->shape.c,
                               .h = x->shape.h,
                               .w = x->shape.w,
                               .k = node->shape.c,
                               .p = node->shape.h,
                               .q = node->shape.w,
                               .kernel = node->conv.kernel,
                               .stride = node->conv.stride,
                               .pad = node->conv.pad,
                               .plain_x = x->plain};
}

static bool
same_shape(const struct conv_shape *a, const struct conv_shape *b)
{
    return a->c == b->c && a->h == b->h && a->w == b->w && a->k == b->k
           && a->kernel == b->kernel && a->stride == b->stride && a->pad == b->pad
           && a->plain_x == b->plain_x;
}

static int
collect(struct counted *list, const struct graph *g)
{
    int n = 0;

    for (size_t i = 0; i < g->n; i++) {
        if (g->nodes[i].op != &op_conv)
            continue;
        const struct conv_shape s = shape_of(g, &g->nodes[i]);
        int at = 0;
        while (at < n && !same_shape(&list[at].shape, &s))
            at++;
        if (at == n && n++ < MAX_SHAPES)
            list[at] = (struct counted){.shape = s};
        list[at].times++;
    }
    return n;
}

static double
measure(const struct backend *backend, const struct conv_shape *s, enum conv_pass pass,
        bool alone, double limit)
{
    struct work w;

    library_alone = alone;
    work_open(&w, backend, s);
    const double took = shortest(&w, pass, limit);
    work_close(&w);
    return took;
}

/* Returns how long the network's convolutions of this shape take, by our choice and by
 * the library, in ms for a slice. */
static void
print_row(double total[2], const struct backend *backend, const struct counted *c,
          enum conv_pass pass, double limit)
{
    static const char *const names[CONV_PASSES] = {"forward", "data", "weights"};
    const struct conv_shape *s = &c->shape;
    const double flops = 2.0 * OP_SLICE * (double)(s->k * s->p * s->q)
                         * (double)(s->c * s->kernel * s->kernel);
    const struct conv_kernel *kernel =
        __real_conv_kernel_find(s, pass, backend->block());
    const double library = measure(backend, s, pass, true, limit);
    const double ours =
        kernel != NULL ? measure(backend, s, pass, false, limit) : library;

    printf("%2d x %4ld %3ldx%-3ld -> %4ld  %ldx%ld/%ld  %-8s %-14s %8.1f %8.1f %6.2f\n",
           c->times, (long)s->c, (long)s->h, (long)s->w, (long)s->k, (long)s->kernel,
           (long)s->kernel, (long)s->stride, names[pass],
           kernel != NULL ? kernel->name : "-", flops / ours / 1e9,
           flops / library / 1e9, library / ours);
    fflush(stdout);
    total[0] += 1e3 * ours * c->times;
    total[1] += 1e3 * library * c->times;
}

int
main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "resnet18";
    const int64_t size = argc > 2 ? atol(argv[2]) : 32;
    const double limit = argc > 3 ? atof(argv[3]) : 0.1;
    const struct model *model = model_find(name);
    const struct backend *backend;
    struct counted list[MAX_SHAPES];
    double total[2] = {0, 0};
    struct err err;

    if (model == NULL || backend_find(&backend, "auto", &err) != 0) {
        fprintf(stderr, "usage: conv_bench [MODEL [SIZE [SECONDS]]]\n");
        return 2;
    }
    const struct model_config config = {.classes = 100,
                                        .c = 3,
                                        .h = size,
                                        .w = size,
                                        .std = {1, 1, 1},
                                        .bn_paths = 2,
                                        .role = MODEL_STUDENT};
    struct graph *g = model->build(&config);
    const int n = collect(list, g);

    printf("%-28s %-7s %-8s %-14s %8s %8s %6s\n", "shape (GFLOP/s, one thread)",
           "kernel", "pass", "ours", "ours", "library", "ratio");
    for (int pass = 0; pass < CONV_PASSES; pass++)
        for (int i = 0; i < n; i++)
            print_row(total, backend, &list[i], pass, limit);
    printf("all, for %d images: ours %.1f ms, library %.1f ms, ratio %.2f\n", OP_SLICE,
           total[0], total[1], total[1] / total[0]);
    graph_free(g);
    return 0;
}
