/* conv_kernel_test.c - every convolution kernel of our own against a double reference, on
 * maps of both blocks (so that the one of a processor with AVX-512 is tested on every
 * machine): odd sizes, one image, channels that fill no block, accumulation. */
#include "tests/worker/engine/probe.h"

#include <math.h>
#include <string.h>

#include "shared/base/mem.h"
#include "tests/support/near.h"
#include "tests/support/ref_ops.h"
#include "worker/engine/cpu/conv_kernel.h"
#include "worker/engine/cpu/maps.h"

/* Measured: below 1.2e-6. */
static const double tolerance = 4e-6;

static const struct ref_conv shapes[] = {
    /* n  c   h   w   k  kernel stride pad */
    {1, 1, 1, 1, 1, 3, 1, 1},      {1, 3, 5, 7, 5, 3, 1, 1},
    {3, 8, 4, 4, 8, 3, 1, 1},      {2, 17, 9, 6, 33, 3, 1, 1},
    {1, 40, 3, 13, 20, 3, 1, 1},   {5, 8, 20, 20, 24, 3, 1, 1},
    {9, 40, 2, 2, 48, 3, 1, 1},    {3, 16, 23, 18, 9, 3, 1, 1},
    {2, 1, 28, 28, 8, 3, 1, 1},    {1, 3, 32, 32, 64, 3, 1, 1},
    {2, 3, 2, 3, 70, 3, 1, 1},     {3, 90, 5, 6, 100, 3, 1, 1},
    {1, 60, 1, 1, 70, 3, 2, 1},    {3, 57, 9, 6, 72, 3, 2, 1},
    {2, 90, 11, 10, 100, 3, 2, 1}, {1, 70, 17, 28, 60, 3, 2, 1},
    {3, 9, 9, 14, 20, 3, 2, 1},    {2, 8, 5, 5, 8, 3, 2, 1},
    {1, 5, 26, 33, 17, 3, 2, 1},   {2, 9, 7, 11, 20, 1, 2, 0},
    {1, 8, 12, 32, 16, 1, 2, 0},   {2, 8, 19, 38, 8, 3, 1, 1},
    {3, 8, 12, 32, 16, 3, 2, 1},
};
enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

/* One convolution; plain arrays in double. */
struct fixture {
    const struct conv_kernel *kernel;
    const struct ref_conv *ref;
    struct conv_shape shape;
    int64_t block;
    struct map x_map, y_map;
    int64_t nx, ny, nw;
    double *x, *y, *w, *want;
    float *packed, *workspace;
};

static float *
floats(int64_t n)
{
    return mem_large_alloc((size_t)(n > 0 ? n : 1) * sizeof(float));
}

/* Calls for each product of the sum in y[n,k,i,j] = sum w[k,c,r,q] x[n,c,..]. Of the three
 * arrays one is added to what the other two make. */
static void
add_products(const struct fixture *f, enum conv_pass pass, double *to)
{
    const struct conv_shape *s = &f->shape;
    const int64_t taps = s->kernel * s->kernel;

    for (int64_t at_y = 0; at_y < f->ny; at_y++)
        for (int64_t ct = 0; ct < s->c * taps; ct++) {
            const int64_t n = at_y / (s->k * s->p * s->q),
                          k = at_y / (s->p * s->q) % s->k;
            const int64_t i =
                at_y / s->q % s->p * s->stride + ct % taps / s->kernel - s->pad;
            const int64_t j = at_y % s->q * s->stride + ct % s->kernel - s->pad;
            const int64_t at_x = ((n * s->c + ct / taps) * s->h + i) * s->w + j;
            const int64_t at_w = k * s->c * taps + ct;

            if (i < 0 || i >= s->h || j < 0 || j >= s->w)
                continue;
            if (pass == CONV_FORWARD)
                to[at_y] += f->w[at_w] * f->x[at_x];
            else if (pass == CONV_BACKWARD_DATA)
                to[at_x] += f->w[at_w] * f->y[at_y];
            else
                to[at_w] += f->y[at_y] * f->x[at_x];
        }
}

static struct conv_shape
shape_of(const struct ref_conv *s, bool plain)
{
    return (struct conv_shape){.c = s->c,
                               .h = s->h,
                               .w = s->w,
                               .k = s->k,
                               .p = ref_conv_out(s->h, s),
                               .q = ref_conv_out(s->w, s),
                               .kernel = s->kernel,
                               .stride = s->stride,
                               .pad = s->pad,
                               .plain_x = plain};
}

static void
setup(struct fixture *f, const struct conv_kernel *kernel, const struct ref_conv *ref,
      const struct conv_shape *s, int64_t block)
{
    *f = (struct fixture){.kernel = kernel, .ref = ref, .shape = *s, .block = block};
    f->x_map = (struct map){ref->n, s->c, s->h * s->w, s->plain_x ? 1 : block};
    f->y_map = (struct map){ref->n, s->k, s->p * s->q, block};
    f->nx = ref->n * s->c * s->h * s->w;
    f->ny = ref->n * s->k * s->p * s->q;
    f->nw = s->k * s->c * s->kernel * s->kernel;
    f->x = probe_array(f->nx, 1.0, 1);
    f->y = probe_array(f->ny, 1.0, 2);
    f->w = probe_array(f->nw, 1.0, 3);
    const int64_t sizes[CONV_PASSES] = {f->ny, f->nx, f->nw};
    f->want = probe_array(sizes[kernel->pass], 0.0, 0);
    add_products(f, kernel->pass, f->want);
    f->workspace = floats(kernel->workspace(s, block, ref->n));
    if (kernel->pack != NULL) {
        float *w = probe_float_array(f->w, f->nw);

        f->packed = floats(kernel->packed(s, block));
        kernel->pack(f->packed, w, s, block, 0, 1);
        free(w);
    }
}

static void
teardown(struct fixture *f)
{
    free(f->x);
    free(f->y);
    free(f->w);
    free(f->want);
    mem_large_free(f->packed);
    mem_large_free(f->workspace);
}

/* A plain array as a map; freed with mem_large_free. */
static float *
as_map(const double *plain, int64_t n, const struct map *m)
{
    float *from = probe_float_array(plain, n), *to = floats(map_size(m));

    cpu_to_blocks(to, from, m);
    free(from);
    return to;
}

/* The map holds `times` what is wanted, and zero in lanes beyond the channels. */
static void
check_map(const struct fixture *f, const float *data, const struct map *m, int64_t n,
          double times)
{
    float *plain = probe_float_array(NULL, n);

    cpu_from_blocks(plain, false, data, m);
    for (int64_t i = 0; i < n; i++)
        plain[i] = (float)((double)plain[i] / times);
    assert_near(plain, f->want, n, tolerance);
    free(plain);
    for (int64_t i = 0; i < map_size(m); i++) {
        const int64_t c = i / (m->pixels * m->block) % map_blocks(m) * m->block;
        if (c + i % m->block >= m->c)
            assert_true(data[i] == 0.0f);
    }
}

static void
check_forward(struct fixture *f)
{
    float *x = as_map(f->x, f->nx, &f->x_map), *y = floats(map_size(&f->y_map));

    memset(y, 0x41, (size_t)map_size(&f->y_map) * sizeof(float));
    f->kernel->forward(y, &(struct map_value){.at = x}, f->packed, NULL, &f->shape,
                       f->block, f->ref->n, f->workspace);
    check_map(f, y, &f->y_map, f->ny, 1.0);
    mem_large_free(x);
    mem_large_free(y);
}

static void
check_backward_data(struct fixture *f)
{
    float *dy = as_map(f->y, f->ny, &f->y_map), *dx = floats(map_size(&f->x_map));

    memset(dx, 0x41, (size_t)map_size(&f->x_map) * sizeof(float));
    for (int i = 0; i < 2; i++) {
        f->kernel->backward_data(dx, i > 0, dy, f->packed, &f->shape, f->block,
                                 f->ref->n, f->workspace);
        check_map(f, dx, &f->x_map, f->nx, i + 1.0);
    }
    mem_large_free(dy);
    mem_large_free(dx);
}

/* grad = what was added to the threes in it, divided by two */
static void
check_grad(const struct fixture *f, float *grad)
{
    for (int64_t i = 0; i < f->nw; i++)
        grad[i] = (grad[i] - 3.0f) / 2.0f;
    assert_near(grad, f->want, f->nw, tolerance);
}

/* Twice the same stage is added to a gradient that is there. */
static void
add_stages(struct fixture *f, float *grad, const struct map_value *x, const float *dy)
{
    const struct conv_kernel *k = f->kernel;
    const int64_t x_image = map_size(&f->x_map) / f->ref->n;
    const int64_t y_image = map_size(&f->y_map) / f->ref->n;
    float *stage = floats(k->stage_floats(&f->shape, f->block));

    assert_true(k->staged(&f->shape, f->block) >= f->ref->n);
    for (int64_t n = 0; n < f->ref->n; n++) {
        const struct map_value image = map_value_later(x, n * x_image);

        k->stage(stage, n, &image, dy + n * y_image, &f->shape, f->block, f->workspace);
    }
    for (int64_t part = 0; part < 2 * k->parts(&f->shape, f->block); part++)
        k->add_staged(grad, stage, f->ref->n, part / 2, &f->shape, f->block,
                      f->workspace);
    mem_large_free(stage);
}

/* Twice the same partial sum is added to a gradient that is there. */
static void
add_partials(struct fixture *f, float *grad, const struct map_value *x, const float *dy)
{
    const int64_t size = f->kernel->partial(&f->shape, f->block);
    float *partials = floats(2 * size);

    memset(partials, 0x41, (size_t)(2 * size) * sizeof(float));
    for (int i = 0; i < 2; i++)
        f->kernel->backward_weights(partials + i * size, x, dy, &f->shape, f->block,
                                    f->ref->n, f->workspace);
    for (int64_t part = 0; part < f->kernel->parts(&f->shape, f->block); part++)
        f->kernel->add_grad(grad, partials, 2, part, &f->shape, f->block);
    mem_large_free(partials);
}

static void
add_gradient(struct fixture *f, float *grad, const struct map_value *x, const float *dy)
{
    if (f->kernel->staged != NULL)
        add_stages(f, grad, x, dy);
    else
        add_partials(f, grad, x, dy);
}

static void
check_backward_weights(struct fixture *f)
{
    float *x = as_map(f->x, f->nx, &f->x_map), *dy = as_map(f->y, f->ny, &f->y_map);
    float *grad = floats(f->nw);

    for (int64_t i = 0; i < f->nw; i++)
        grad[i] = 3.0f;
    add_gradient(f, grad, &(struct map_value){.at = x}, dy);
    check_grad(f, grad);
    mem_large_free(x);
    mem_large_free(dy);
    mem_large_free(grad);
}

/* Each kernel of the pass on each shape that suits it; fails if there is none. */
static void
for_all(enum conv_pass pass, void (*check)(struct fixture *f))
{
    for (const struct conv_kernel *const *k = conv_kernels; *k != NULL; k++) {
        int checked = 0;

        for (int i = 0; i < N_SHAPES * 4 && (*k)->pass == pass; i++) {
            const struct ref_conv *ref = &shapes[i / 4];
            const struct conv_shape s = shape_of(ref, i % 2);
            const int64_t block = i & 2 ? 16 : 8;
            struct fixture f;

            if (!(*k)->suits(&s, block))
                continue;
            setup(&f, *k, ref, &s, block);
            check(&f);
            teardown(&f);
            checked++;
        }
        assert_true((*k)->pass != pass || checked > 0);
    }
}

static void
forward_equals_the_reference(void **state)
{
    (void)state;
    for_all(CONV_FORWARD, check_forward);
}

static void
gradient_of_the_data_equals_the_reference_and_accumulates(void **state)
{
    (void)state;
    for_all(CONV_BACKWARD_DATA, check_backward_data);
}

static void
gradient_of_the_weights_equals_the_reference_and_adds_up(void **state)
{
    (void)state;
    for_all(CONV_BACKWARD_WEIGHTS, check_backward_weights);
}

/* ---- values that are not stored -------------------------------------------------- */

/* Numbers of the double array, repeated, as one for each of n floats. */
static float *
repeated(const double *from, int64_t count, int64_t n)
{
    float *to = floats(n);

    for (int64_t i = 0; i < n; i++)
        to[i] = (float)from[i % count];
    return to;
}

/* Calls check with x as two terms and what they are when stored. */
static void
with_terms(struct fixture *f,
           void (*check)(struct fixture *f, const struct map_value *lazy,
                         const struct map_value *stored))
{
    const int64_t size = map_size(&f->x_map), lanes = map_blocks(&f->x_map) * f->block;
    float *x = repeated(f->x, f->nx, size), *at = repeated(f->y, f->ny, size);
    float *mean = repeated(f->w, f->nw, lanes), *made = floats(size);
    float *low = repeated(f->y, f->ny, lanes * f->x_map.pixels);
    const struct norm_pass relu = {NORM_RELU, NULL, mean, mean, mean};
    const struct norm_pass masked = {NORM_MASKED, low, mean, mean, mean};
    const struct map_value lazy = {at, 2, {{x, &relu}, {at, &masked}}};

    cpu_value(made, &lazy, &f->x_map);
    check(f, &lazy, &(struct map_value){.at = made});
    float *all[] = {x, at, mean, made, low};
    for (int i = 0; i < 5; i++)
        mem_large_free(all[i]);
}

static void
forward_twice(struct fixture *f, const struct map_value *lazy,
              const struct map_value *stored)
{
    const int64_t size = map_size(&f->y_map);
    float *got = floats(size), *want = floats(size);

    f->kernel->forward(got, lazy, f->packed, NULL, &f->shape, f->block, f->ref->n,
                       f->workspace);
    f->kernel->forward(want, stored, f->packed, NULL, &f->shape, f->block, f->ref->n,
                       f->workspace);
    assert_memory_equal(got, want, (size_t)size * sizeof(float));
    mem_large_free(got);
    mem_large_free(want);
}

static void
weights_twice(struct fixture *f, const struct map_value *lazy,
              const struct map_value *stored)
{
    float *dy = as_map(f->y, f->ny, &f->y_map);
    float *got = floats(f->nw), *want = floats(f->nw);

    add_gradient(f, got, lazy, dy);
    add_gradient(f, want, stored, dy);
    assert_memory_equal(got, want, (size_t)f->nw * sizeof(float));
    mem_large_free(dy);
    mem_large_free(got);
    mem_large_free(want);
}

static void
check_lazy_forward(struct fixture *f)
{
    if (f->kernel->lazy)
        with_terms(f, forward_twice);
}

static void
check_lazy_weights(struct fixture *f)
{
    if (f->kernel->lazy)
        with_terms(f, weights_twice);
}

static void
a_value_that_is_not_stored_gives_the_same_bits(void **state)
{
    (void)state;
    for_all(CONV_FORWARD, check_lazy_forward);
    for_all(CONV_BACKWARD_WEIGHTS, check_lazy_weights);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_equals_the_reference),
        cmocka_unit_test(gradient_of_the_data_equals_the_reference_and_accumulates),
        cmocka_unit_test(a_value_that_is_not_stored_gives_the_same_bits),
        cmocka_unit_test(gradient_of_the_weights_equals_the_reference_and_adds_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
