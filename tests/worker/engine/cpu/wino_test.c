/* wino_test.c - 3x3 convolutions, by Winograd's method or directly, against the double
 * reference, on maps of both blocks (so that the one of a processor with AVX-512 is tested
 * on every machine): odd sizes, channels that fill no block, chunks that end within an
 * image, accumulation, and all that may follow in the same pass. */
#include "tests/worker/engine/probe.h"

#include <math.h>
#include <string.h>

#include "shared/base/mem.h"
#include "tests/support/near.h"
#include "tests/support/ref_ops.h"
#include "worker/engine/cpu/conv_kernel.h"
#include "worker/engine/cpu/maps.h"

/* Of 70 channels at most. Measured: below 9e-7. */
static const double tolerance = 3e-6;

static const struct ref_conv shapes[] = {
    /* n  c   h   w   k  kernel stride pad */
    {1, 1, 1, 1, 1, 3, 1, 1},     {1, 3, 5, 7, 5, 3, 1, 1},
    {3, 8, 4, 4, 8, 3, 1, 1},     {2, 17, 9, 6, 33, 3, 1, 1},
    {1, 70, 3, 13, 20, 3, 1, 1},  {5, 8, 20, 20, 24, 3, 1, 1},
    {9, 40, 2, 2, 70, 3, 1, 1},   {3, 16, 23, 18, 9, 3, 1, 1},
    {2, 8, 9, 38, 8, 3, 1, 1},    {2, 8, 6, 33, 5, 3, 1, 1},
    {1, 16, 1, 1, 16, 3, 2, 1},   {2, 17, 5, 7, 33, 3, 2, 1},
    {3, 20, 8, 8, 24, 3, 2, 1},   {1, 70, 2, 9, 40, 3, 2, 1},
    {5, 16, 17, 18, 16, 3, 2, 1}, {4, 40, 20, 19, 72, 3, 2, 1},
    {3, 8, 9, 20, 20, 3, 2, 1},   {2, 60, 13, 17, 70, 3, 2, 1},
};
enum { N_SHAPES = sizeof(shapes) / sizeof(shapes[0]), PACK_PARTS = 3 };

/* One pass of a convolution: maps of `from` channels to maps of `to` channels. */
struct fixture {
    const struct conv_kernel *kernel;
    struct conv_shape shape;
    int64_t n, block;
    struct map from, to;
    double *x, *want; /* plain */
    float *in, *out, *packed, *workspace;
};

static float *
floats(int64_t n)
{
    return mem_large_alloc((size_t)n * sizeof(float));
}

/* dx (h,w) += y * w at the pixels that output pixel (i,j) has read. */
static void
spread(double *dx, double y, const double *w, int64_t i, int64_t j,
       const struct ref_conv *s)
{
    for (int64_t tap = 0; tap < 9; tap++) {
        const int64_t row = i * s->stride + tap / 3 - 1;
        const int64_t column = j * s->stride + tap % 3 - 1;

        if (row >= 0 && row < s->h && column >= 0 && column < s->w)
            dx[row * s->w + column] += y * w[tap];
    }
}

/* The formula of the convolution, read backwards. */
static void
reference_gradient(double *dx, const double *dy, const double *w,
                   const struct ref_conv *s)
{
    const int64_t p = ref_conv_out(s->h, s), q = ref_conv_out(s->w, s);

    for (int64_t at = 0; at < s->n * s->k * p * q; at++) {
        const int64_t n = at / (s->k * p * q), k = at / (p * q) % s->k;

        for (int64_t c = 0; c < s->c; c++)
            spread(dx + (n * s->c + c) * s->h * s->w, dy[at], w + (k * s->c + c) * 9,
                   at / q % p, at % q, s);
    }
}

static void
make_reference(struct fixture *f, const struct ref_conv *s, enum conv_pass pass)
{
    double *w = probe_array(s->k * s->c * 9, 1.0, 1);
    float *weight = probe_float_array(w, s->k * s->c * 9);

    if (pass == CONV_FORWARD)
        ref_conv(f->want, f->x, w, s);
    else
        reference_gradient(f->want, f->x, w, s);
    for (int64_t part = 0; part < PACK_PARTS; part++)
        f->kernel->pack(f->packed, weight, &f->shape, f->block, part, PACK_PARTS);
    free(w);
    free(weight);
}

static void
setup(struct fixture *f, const struct ref_conv *s, enum conv_pass pass, int64_t block)
{
    const int64_t p = ref_conv_out(s->h, s), q = ref_conv_out(s->w, s);
    const bool forward = pass == CONV_FORWARD;

    *f = (struct fixture){.n = s->n, .block = block};
    f->shape = (struct conv_shape){.c = s->c,
                                   .h = s->h,
                                   .w = s->w,
                                   .k = s->k,
                                   .p = p,
                                   .q = q,
                                   .kernel = 3,
                                   .stride = s->stride,
                                   .pad = 1};
    f->kernel = conv_kernel_find(&f->shape, pass, block);
    assert_non_null(f->kernel);
    const struct map x = {s->n, s->c, s->h * s->w, block};
    const struct map y = {s->n, s->k, p * q, block};
    f->from = forward ? x : y;
    f->to = forward ? y : x;
    f->x = probe_array(s->n * f->from.c * f->from.pixels, 1.0, 2);
    f->want = probe_array(s->n * f->to.c * f->to.pixels, 0.0, 0);
    f->in = floats(map_size(&f->from));
    f->out = floats(map_size(&f->to));
    f->packed = floats(f->kernel->packed(&f->shape, block));
    f->workspace = floats(f->kernel->workspace(&f->shape, block, s->n));
    make_reference(f, s, pass);
    float *plain = probe_float_array(f->x, s->n * f->from.c * f->from.pixels);
    cpu_to_blocks(f->in, plain, &f->from);
    free(plain);
}

static void
teardown(struct fixture *f)
{
    free(f->x);
    free(f->want);
    mem_large_free(f->in);
    mem_large_free(f->out);
    mem_large_free(f->packed);
    mem_large_free(f->workspace);
}

/* Whatever was in memory before must not matter. */
static void
spoil(float *x, int64_t n)
{
    memset(x, 0x7f, (size_t)n * sizeof(float)); /* NaN */
}

static void
run(struct fixture *f, bool accumulate, const struct conv_after *after)
{
    if (!accumulate)
        spoil(f->out, map_size(&f->to));
    spoil(f->workspace, f->kernel->workspace(&f->shape, f->block, f->n));
    if (f->kernel->pass == CONV_FORWARD)
        f->kernel->forward(f->out, &(struct map_value){.at = f->in}, f->packed, after,
                           &f->shape, f->block, f->n, f->workspace);
    else
        f->kernel->backward_data(f->out, accumulate, f->in, f->packed, &f->shape,
                                 f->block, f->n, f->workspace);
}

static void
assert_as_wanted(const struct fixture *f)
{
    const int64_t n = f->n * f->to.c * f->to.pixels;
    float *got = probe_float_array(NULL, n), *back = floats(map_size(&f->to));

    cpu_from_blocks(got, false, f->out, &f->to);
    assert_near(got, f->want, n, tolerance);
    cpu_to_blocks(back, got, &f->to); /* lanes beyond the channels are zero */
    assert_memory_equal(back, f->out, (size_t)map_size(&f->to) * sizeof(float));
    free(got);
    mem_large_free(back);
}

static void
for_all(enum conv_pass pass, void (*check)(struct fixture *f))
{
    for (int64_t block = 8; block <= 16; block += 8)
        for (int i = 0; i < N_SHAPES; i++) {
            struct fixture f;

            setup(&f, &shapes[i], pass, block);
            check(&f);
            teardown(&f);
        }
}

static void
check_plain(struct fixture *f)
{
    run(f, false, NULL);
    assert_as_wanted(f);
}

static void
forward_equals_the_reference(void **state)
{
    (void)state;
    for_all(CONV_FORWARD, check_plain);
}

static void
data_gradient_equals_the_reference(void **state)
{
    (void)state;
    for_all(CONV_BACKWARD_DATA, check_plain);
}

static void
check_accumulate(struct fixture *f)
{
    const int64_t n = f->n * f->to.c * f->to.pixels;
    double *before = probe_array(n, 4.0, 3);
    float *plain = probe_float_array(before, n);

    cpu_to_blocks(f->out, plain, &f->to);
    ref_add(f->want, f->want, before, n);
    run(f, true, NULL);
    assert_as_wanted(f);
    free(before);
    free(plain);
}

static void
data_gradient_is_added_to_what_is_there(void **state)
{
    (void)state;
    for_all(CONV_BACKWARD_DATA, check_accumulate);
}

/* y = act(want * scale + shift + residual) in double; low: of one image */
static void
follow(double *y, const struct map *m, const double *scale, const double *shift,
       const double *residual, const double *low, enum norm_act act)
{
    for (int64_t i = 0; i < m->images * m->c * m->pixels; i++) {
        const int64_t c = i / m->pixels % m->c;
        const double bound = act == NORM_MASKED ? low[i % (m->c * m->pixels)] : 0.0;

        y[i] = y[i] * scale[c] + shift[c] + (residual != NULL ? residual[i] : 0.0);
        if (act != NORM_LINEAR && y[i] < bound)
            y[i] = bound;
    }
}

static float *
blocked(const double *plain, const struct map *m)
{
    float *from = probe_float_array(plain, m->images * m->c * m->pixels);
    float *to = floats(map_size(m));

    cpu_to_blocks(to, from, m);
    free(from);
    return to;
}

static void
check_after(struct fixture *f, enum norm_act act, bool with_residual)
{
    const struct map one = {1, f->to.c, f->to.pixels, f->block};
    const struct map lanes = {1, f->to.c, 1, f->block};
    double *scale = probe_array(f->to.c, 1.0, 4), *shift = probe_array(f->to.c, 1.0, 5);
    double *residual = probe_array(f->n * f->to.c * f->to.pixels, 2.0, 6);
    double *low = probe_array(f->to.c * f->to.pixels, 1.0, 7);

    for (int64_t i = 0; i < f->to.c * f->to.pixels; i++)
        low[i] = low[i] > 0.0 ? 0.0 : (double)-INFINITY;
    follow(f->want, &f->to, scale, shift, with_residual ? residual : NULL, low, act);
    float *arrays[] = {blocked(scale, &lanes), blocked(shift, &lanes),
                       blocked(residual, &f->to), blocked(low, &one)};
    run(f, false,
        &(struct conv_after){arrays[0], arrays[1], with_residual ? arrays[2] : NULL,
                             act, act == NORM_MASKED ? arrays[3] : NULL});
    assert_as_wanted(f);
    for (int i = 0; i < 4; i++)
        mem_large_free(arrays[i]);
    free(scale);
    free(shift);
    free(residual);
    free(low);
}

static void
check_affine(struct fixture *f)
{
    check_after(f, NORM_LINEAR, false);
}

static void
check_relu(struct fixture *f)
{
    check_after(f, NORM_RELU, false);
}

static void
check_masked_residual(struct fixture *f)
{
    check_after(f, NORM_MASKED, true);
}

static void
norm_residual_and_activation_follow_in_the_same_pass(void **state)
{
    (void)state;
    for_all(CONV_FORWARD, check_affine);
    for_all(CONV_FORWARD, check_relu);
    for_all(CONV_FORWARD, check_masked_residual);
}

/* A NaN must reach the loss, where it ends the job. */
static void
nan_goes_through_the_activation(void **state)
{
    struct fixture f;
    float zeros[16] = {0}, ones[16];
    (void)state;

    setup(&f, &shapes[1], CONV_FORWARD, 8);
    for (int i = 0; i < 16; i++)
        ones[i] = 1.0f;
    f.in[0] = NAN;
    run(&f, false, &(struct conv_after){ones, zeros, NULL, NORM_RELU, NULL});
    assert_true(isnan(f.out[0]));
    teardown(&f);
}

/* Images are shared out among threads and tasks in any number. */
static void
check_alone(struct fixture *f)
{
    const int64_t n = f->n, in = map_size(&f->from) / n, out = map_size(&f->to) / n;
    float *together = floats(n * out);

    run(f, false, NULL);
    memcpy(together, f->out, (size_t)(n * out) * sizeof(float));
    f->n = 1;
    for (int64_t i = 0; i < n; i++) {
        memmove(f->in, f->in + (i > 0 ? in : 0),
                (size_t)((n - i) * in) * sizeof(float));
        run(f, false, NULL);
        assert_memory_equal(f->out, together + i * out, (size_t)out * sizeof(float));
    }
    mem_large_free(together);
}

static void
an_image_alone_gives_the_same_bits(void **state)
{
    (void)state;
    for_all(CONV_FORWARD, check_alone);
    for_all(CONV_BACKWARD_DATA, check_alone);
}

static void
other_shapes_are_left_to_others(void **state)
{
    const struct conv_shape fits = {16, 8, 8, 16, 8, 8, 3, 1, 1, false, false};
    struct conv_shape s = fits;
    (void)state;

    assert_non_null(conv_kernel_find(&s, CONV_FORWARD, 8));
    assert_null(conv_kernel_find(&s, CONV_FORWARD, 1));
    s.plain_x = true;
    assert_null(conv_kernel_find(&s, CONV_FORWARD, 8));
    s = fits;
    s.kernel = 1;
    s.pad = 0;
    assert_null(conv_kernel_find(&s, CONV_FORWARD, 8));
    s = fits;
    s.pad = 0;
    s.p = s.q = 6;
    assert_null(conv_kernel_find(&s, CONV_FORWARD, 8));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_equals_the_reference),
        cmocka_unit_test(data_gradient_equals_the_reference),
        cmocka_unit_test(data_gradient_is_added_to_what_is_there),
        cmocka_unit_test(norm_residual_and_activation_follow_in_the_same_pass),
        cmocka_unit_test(nan_goes_through_the_activation),
        cmocka_unit_test(an_image_alone_gives_the_same_bits),
        cmocka_unit_test(other_shapes_are_left_to_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
