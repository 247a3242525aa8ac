/* conv_test.c - convolution of every backend against the double reference: forward on
 * odd sizes, strides and paddings, both gradients against differences of it. */
#include "tests/worker/engine/probe.h"

#include <string.h>

#include "shared/base/mem.h"
#include "tests/support/near.h"
#include "tests/support/ref_ops.h"
#include "worker/engine/backend_table.h"

static const struct ref_conv shapes[] = {
    /* n  c   h   w   k  kernel stride pad */
    {1, 3, 5, 7, 5, 3, 1, 1},   {2, 5, 9, 9, 11, 3, 2, 1},  {3, 8, 6, 6, 8, 3, 1, 1},
    {1, 16, 4, 4, 16, 3, 1, 1}, {2, 7, 8, 8, 13, 1, 2, 0},  {1, 17, 3, 5, 9, 1, 1, 0},
    {2, 3, 8, 8, 16, 5, 1, 2},  {1, 4, 7, 6, 3, 3, 1, 0},   {8, 16, 8, 8, 32, 3, 2, 1},
    {1, 1, 1, 1, 1, 3, 1, 1},   {3, 32, 2, 2, 24, 3, 1, 1}, {2, 3, 9, 8, 6, 3, 2, 0},
};

enum { PACK_PARTS = 3 };

/* One convolution with its arrays in double (reference) and in the backend's maps. */
struct fixture {
    const struct backend *backend;
    struct ref_conv ref;
    struct conv_shape shape;
    struct conv *conv;
    struct map x_map, y_map, x_plain, y_plain; /* as the kernels see them, and plain */
    int64_t nx, ny, nw;
    double *x, *y, *w, *seed; /* plain; seed: of the scalar sum(seed * y) */
    float *packed[2], *workspace;
};

static float *
floats(int64_t n)
{
    return mem_large_alloc((size_t)(n > 0 ? n : 1) * sizeof(float));
}

static void
setup(struct fixture *f, const struct backend *b, const struct ref_conv *s, bool plain)
{
    struct err err;
    int64_t need = 0, most = 0;
    const int64_t p = ref_conv_out(s->h, s), q = ref_conv_out(s->w, s);

    *f = (struct fixture){.backend = b, .ref = *s};
    f->shape = (struct conv_shape){.c = s->c,
                                   .h = s->h,
                                   .w = s->w,
                                   .k = s->k,
                                   .p = p,
                                   .q = q,
                                   .kernel = s->kernel,
                                   .stride = s->stride,
                                   .pad = s->pad,
                                   .plain_x = plain};
    f->x_map = (struct map){s->n, s->c, s->h * s->w, plain ? 1 : b->block()};
    f->y_map = (struct map){s->n, s->k, p * q, b->block()};
    f->nx = s->n * s->c * s->h * s->w;
    f->ny = s->n * s->k * p * q;
    f->nw = s->k * s->c * s->kernel * s->kernel;
    f->x = probe_array(f->nx, 1.0, 1);
    f->w = probe_array(f->nw, 1.0, 2);
    f->seed = probe_array(f->ny, 1.0, 3);
    f->y = probe_array(f->ny, 0.0, 0);
    ref_conv(f->y, f->x, f->w, s);
    assert_int_equal(b->conv_new(&f->conv, &f->shape, true, 1, &err), 0);
    for (int pass = 0; pass < CONV_PASSES; pass++) {
        assert_int_equal(b->conv_prepare(&need, f->conv, pass, s->n, &err), 0);
        most = need > most ? need : most;
    }
    f->workspace = floats(most);
    float *w = probe_float_array(f->w, f->nw);
    for (int pass = 0; pass < 2; pass++) {
        const int64_t packed = b->conv_sizes(f->conv).packed[pass];
        f->packed[pass] = floats(packed > 0 ? packed : f->nw);
        if (packed > 0)
            for (int64_t part = 0; part < PACK_PARTS; part++)
                b->conv_pack(f->conv, pass, f->packed[pass], w, part, PACK_PARTS, 0);
        else
            memcpy(f->packed[pass], w, (size_t)f->nw * sizeof(float));
    }
    free(w);
}

static void
teardown(struct fixture *f)
{
    f->backend->conv_free(f->conv);
    free(f->x);
    free(f->y);
    free(f->w);
    free(f->seed);
    mem_large_free(f->packed[0]);
    mem_large_free(f->packed[1]);
    mem_large_free(f->workspace);
}

/* A plain array as a map of this layout; freed with mem_large_free. */
static float *
as_map(const struct fixture *f, const double *plain, int64_t n, const struct map *m)
{
    float *from = probe_float_array(plain, n), *to = floats(map_size(m));

    f->backend->to_blocks(to, from, m);
    free(from);
    return to;
}

static float *
as_plain(const struct fixture *f, const float *map, int64_t n, const struct map *m)
{
    float *plain = probe_float_array(NULL, n);

    f->backend->from_blocks(plain, false, map, m);
    return plain;
}

/* Lanes beyond the channels are part of the contract: whoever writes keeps them zero. */
static void
assert_lanes_zero(const float *data, const struct map *m)
{
    for (int64_t i = 0; i < map_size(m); i++) {
        const int64_t c = i / (m->pixels * m->block) % map_blocks(m) * m->block;
        if (c + i % m->block >= m->c)
            assert_true(data[i] == 0.0f);
    }
}

static void
check_forward(struct fixture *f)
{
    float *x = as_map(f, f->x, f->nx, &f->x_map), *y = floats(map_size(&f->y_map));

    memset(y, 0x41, (size_t)map_size(&f->y_map) * sizeof(float));
    f->backend->conv_forward(f->conv, y, &(struct map_value){.at = x},
                             f->packed[CONV_FORWARD], NULL, f->ref.n, f->workspace, 0);
    float *got = as_plain(f, y, f->ny, &f->y_map);
    assert_near(got, f->y, f->ny, 1e-5);
    assert_lanes_zero(y, &f->y_map);
    free(got);
    mem_large_free(x);
    mem_large_free(y);
}

static double
scalar(void *ctx)
{
    struct fixture *f = ctx;

    ref_conv(f->y, f->x, f->w, &f->ref);
    return ref_dot(f->y, f->seed, f->ny);
}

/* At most 20 entries, spread over the array. */
static void
check_gradient(struct fixture *f, const float *got, double *at, int64_t n)
{
    const int64_t step = n / 20 + 1;
    double want[21];
    float picked[21];
    int64_t count = 0;

    for (int64_t i = 0; i < n; i += step) {
        picked[count] = got[i];
        want[count++] = ref_derivative(scalar, f, &at[i]);
    }
    assert_near(picked, want, count, 1e-4);
}

static void
check_backward_data(struct fixture *f)
{
    float *dy = as_map(f, f->seed, f->ny, &f->y_map);
    float *dx = floats(map_size(&f->x_map));

    memset(dx, 0x41, (size_t)map_size(&f->x_map) * sizeof(float));
    f->backend->conv_backward_data(f->conv, dx, false, dy,
                                   f->packed[CONV_BACKWARD_DATA], f->ref.n,
                                   f->workspace, 0);
    assert_lanes_zero(dx, &f->x_map);
    float *once = as_plain(f, dx, f->nx, &f->x_map);
    check_gradient(f, once, f->x, f->nx);
    f->backend->conv_backward_data(f->conv, dx, true, dy, f->packed[CONV_BACKWARD_DATA],
                                   f->ref.n, f->workspace, 0);
    float *twice = as_plain(f, dx, f->nx, &f->x_map);
    for (int64_t i = 0; i < f->nx; i++)
        assert_true(fabsf(twice[i] - 2.0f * once[i]) <= 1e-5f * (1 + fabsf(once[i])));
    free(once);
    free(twice);
    mem_large_free(dy);
    mem_large_free(dx);
}

/* grad += twice the gradient, by two partial sums */
static void
add_partials(struct fixture *f, float *grad, const struct map_value *x, const float *dy)
{
    const struct backend *b = f->backend;
    const struct conv_sizes sizes = b->conv_sizes(f->conv);
    float *partials = floats(2 * sizes.partial);

    for (int i = 0; i < 2; i++)
        b->conv_backward_weights(f->conv, partials + i * sizes.partial, x, dy, f->ref.n,
                                 f->workspace, 0);
    for (int64_t part = 0; part < sizes.parts; part++)
        b->conv_add_grad(f->conv, grad, partials, 2, part, 0);
    mem_large_free(partials);
}

/* grad += twice the gradient, by stages of both times all images */
static void
add_stages(struct fixture *f, float *grad, const float *x, const float *dy)
{
    const struct backend *b = f->backend;
    const struct conv_sizes sizes = b->conv_sizes(f->conv);
    const int64_t x_image = map_size(&f->x_map) / f->ref.n;
    const int64_t y_image = map_size(&f->y_map) / f->ref.n;
    float *stage = floats(sizes.stage);

    for (int64_t i = 0, at = 0; i < 2 * f->ref.n; i++) {
        const int64_t n = i % f->ref.n;
        const struct map_value x_n = {.at = x + n * x_image};

        b->conv_stage(f->conv, stage, at++, &x_n, dy + n * y_image, f->workspace, 0);
        if (at < sizes.staged && i + 1 < 2 * f->ref.n)
            continue;
        for (int64_t part = 0; part < sizes.parts; part++)
            b->conv_add_staged(f->conv, grad, stage, at, part, f->workspace, 0);
        at = 0;
    }
    mem_large_free(stage);
}

static void
check_backward_weights(struct fixture *f)
{
    float *x = as_map(f, f->x, f->nx, &f->x_map);
    float *dy = as_map(f, f->seed, f->ny, &f->y_map), *grad = floats(f->nw);

    for (int64_t i = 0; i < f->nw; i++)
        grad[i] = 3.0f;
    if (f->backend->conv_sizes(f->conv).staged > 0)
        add_stages(f, grad, x, dy);
    else
        add_partials(f, grad, &(struct map_value){.at = x}, dy);
    for (int64_t i = 0; i < f->nw; i++)
        grad[i] = (grad[i] - 3.0f) / 2.0f;
    check_gradient(f, grad, f->w, f->nw);
    mem_large_free(x);
    mem_large_free(dy);
    mem_large_free(grad);
}

static void
for_all(void (*check)(struct fixture *f))
{
    struct fixture f;

    for (const struct backend *const *b = backends; *b != NULL; b++)
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
            for (int plain = 0; plain < 2; plain++) {
                setup(&f, *b, &shapes[i], plain);
                check(&f);
                teardown(&f);
            }
}

static void
forward_equals_the_reference(void **state)
{
    (void)state;
    for_all(check_forward);
}

static void
gradient_of_the_input_is_the_derivative(void **state)
{
    (void)state;
    for_all(check_backward_data);
}

static void
gradient_of_the_weights_is_the_derivative_and_adds_up(void **state)
{
    (void)state;
    for_all(check_backward_weights);
}

/* all-ones image and kernel: the output counts the taps inside the image, by hand */
static void
same_padding_counts_taps(void **state)
{
    const struct ref_conv s = {1, 1, 4, 4, 1, 3, 1, 1};
    const double want[16] = {4, 6, 6, 4, 6, 9, 9, 6, 6, 9, 9, 6, 4, 6, 6, 4};
    double x[16], w[9], y[16];
    (void)state;

    for (int i = 0; i < 16; i++)
        x[i] = 1.0;
    for (int i = 0; i < 9; i++)
        w[i] = 1.0;
    ref_conv(y, x, w, &s);
    for (int i = 0; i < 16; i++)
        assert_true(y[i] == want[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_padding_counts_taps),
        cmocka_unit_test(forward_equals_the_reference),
        cmocka_unit_test(gradient_of_the_input_is_the_derivative),
        cmocka_unit_test(gradient_of_the_weights_is_the_derivative_and_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
