/* net_test.c - a whole residual net against a double reference of it, both backends, in
 * training and evaluation, with masks, group seeds and two paths; and the rules of net.h
 * about masks, maps, seeds and batch sizes. */
#include "tests/worker/engine/small_resnet.h"

#include <math.h>
#include <string.h>

#include "tests/support/near.h"
#include "tests/support/ref_ops.h"

/* AddressSanitizer would end the test that asks for too much memory. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

enum { BATCH = 9, PATH = 1, SIDE2 = 5, MAX_PARAMS = 64 };

struct fixture {
    enum net_mode mode;
    struct team *team;
    struct net *net;
    struct net_param *params;
    size_t n_params;
    double *values[MAX_PARAMS]; /* of params, for the reference */
    double *x, *dlogits, *seed; /* seed: of group 0, plain */
    double logits[BATCH * SMALL_CLASSES];
    double group[BATCH * 9 * SIDE2 * SIDE2]; /* group 0, plain */
};

static double *
value(struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->n_params; i++)
        if (strcmp(f->params[i].name, name) == 0)
            return f->values[i];
    fail();
    return NULL;
}

/* ---- the reference --------------------------------------------------------------- */

static double *
ref_layer_conv(struct fixture *f, const double *x, const char *name, int64_t c,
               int64_t side, int64_t k, int64_t kernel, int64_t stride)
{
    const struct ref_conv s = {BATCH, c, side, side, k, kernel, stride, kernel / 2};
    const int64_t out = ref_conv_out(side, &s);
    double *y = probe_array(BATCH * k * out * out, 0.0, 0);
    char weight[64];

    snprintf(weight, sizeof(weight), "%s.weight", name);
    ref_conv(y, x, value(f, weight), &s);
    return y;
}

/* In place: bn, residual (or NULL), mask (index, or -1 for none). */
static void
ref_layer_norm(struct fixture *f, double *y, const char *name, const double *residual,
               int mask, int64_t c, int64_t pixels)
{
    static const char *const suffixes[4] = {"weight", "bias", "running_mean",
                                            "running_var"};
    const int64_t size = c * pixels;
    double mean[16], var[16];
    double *p[4];
    char full[64];

    for (int i = 0; i < 4; i++) {
        snprintf(full, sizeof(full), "%s.%s", name, suffixes[i]);
        p[i] = value(f, full);
    }
    ref_batch_stats(mean, var, y, BATCH, c, pixels);
    if (f->mode == NET_TRAIN)
        ref_norm(y, y, mean, var, p[0], p[1], BATCH, c, pixels);
    else
        ref_norm(y, y, p[2], p[3], p[0], p[1], BATCH, c, pixels);
    if (residual != NULL)
        ref_add(y, y, residual, BATCH * size);
    if (mask >= 0) {
        uint8_t m[SMALL_SIDE * SMALL_SIDE * 16];
        net_get_mask(f->net, mask, m);
        ref_masked_relu(y, y, m, BATCH, size);
    }
}

static double
scalar(void *ctx)
{
    struct fixture *f = ctx;
    const int64_t big = SMALL_SIDE * SMALL_SIDE, small = SIDE2 * SIDE2;
    double mean[3], std[3], pooled[BATCH * 9];
    double *x = probe_array(BATCH * SMALL_IMAGE, 0.0, 0);

    for (int c = 0; c < 3; c++) {
        mean[c] = (double)small_mean[c];
        std[c] = (double)small_std[c];
    }
    ref_normalize(x, f->x, mean, std, BATCH, 3, big);
    double *a = ref_layer_conv(f, x, "conv1", 3, SMALL_SIDE, 5, 3, 1);
    ref_layer_norm(f, a, "bn1.BN_a", NULL, 0, 5, big);
    double *b = ref_layer_conv(f, a, "conv2", 5, SMALL_SIDE, 9, 3, 2);
    ref_layer_norm(f, b, "bn2.BN_a", NULL, 1, 9, small);
    double *c = ref_layer_conv(f, b, "conv3", 9, SIDE2, 9, 3, 1);
    double *s = ref_layer_conv(f, a, "short", 5, SMALL_SIDE, 9, 1, 2);
    ref_layer_norm(f, s, "bns", NULL, -1, 9, small);
    ref_layer_norm(f, c, "bn3.BN_a", s, 2, 9, small);
    double *d = ref_layer_conv(f, c, "conv4", 9, SIDE2, 9, 3, 1);
    ref_layer_norm(f, d, "bn4.BN_a", c, 3, 9, small);
    ref_pool(pooled, d, BATCH, 9, small);
    ref_linear(f->logits, pooled, value(f, "fc.weight"), value(f, "fc.bias"), BATCH,
               SMALL_CLASSES, 9);
    memcpy(f->group, c, sizeof(f->group));
    double *all[] = {x, a, b, c, s, d};
    for (int i = 0; i < 6; i++)
        free(all[i]);
    return ref_dot(f->logits, f->dlogits, BATCH * SMALL_CLASSES)
           + ref_dot(f->group, f->seed, BATCH * 9 * small);
}

/* ---- fixture --------------------------------------------------------------------- */

static void
setup_keep(struct fixture *f, const struct backend *backend, enum net_mode mode,
           enum net_keep keep)
{
    struct graph *g = small_resnet();

    f->mode = mode;
    f->team = team_new(2);
    f->net = probe_net_keep(g, backend, f->team, BATCH + 3, keep);
    graph_free(g);
    probe_fill(f->net);
    small_set_masks(f->net);
    f->params = net_params(f->net, &f->n_params);
    assert_true(f->n_params <= MAX_PARAMS);
    for (size_t i = 0; i < f->n_params; i++) {
        f->values[i] = probe_array(f->params[i].size, 0.0, 0);
        for (int64_t k = 0; k < f->params[i].size; k++)
            f->values[i][k] = (double)f->params[i].value[k];
    }
    f->x = probe_array(BATCH * SMALL_IMAGE, 1.0, 1);
    f->dlogits = probe_array(BATCH * SMALL_CLASSES, 1.0, 2);
    f->seed = probe_array(BATCH * 9 * SIDE2 * SIDE2, 0.1, 3);
}

static void
setup(struct fixture *f, const struct backend *backend, enum net_mode mode)
{
    setup_keep(f, backend, mode, NET_KEEP_MAPS);
}

static void
teardown(struct fixture *f)
{
    for (size_t i = 0; i < f->n_params; i++)
        free(f->values[i]);
    free(f->x);
    free(f->dlogits);
    free(f->seed);
    net_free(f->net);
    team_free(f->team);
}

static const float *
forward(struct fixture *f)
{
    float *x = probe_float_array(f->x, BATCH * SMALL_IMAGE);
    const float *logits = net_forward(f->net, x, BATCH, f->mode, PATH);

    free(x);
    return logits;
}

/* Adds the plain array to the seed of group 0. */
static void
add_seed(struct fixture *f)
{
    const struct net_map m = net_group_seed(f->net, 0);
    const int64_t pixels = m.h * m.w, size = m.c * pixels;

    for (int64_t i = 0; i < BATCH * size; i++) {
        const int64_t c = i % size / pixels, pixel = i % pixels;
        const int64_t at = (c / m.block * pixels + pixel) * m.block + c % m.block;
        m.data[i / size * m.per_image + at] += (float)f->seed[i];
    }
}

static void
backward(struct fixture *f, unsigned flags)
{
    float *dlogits = probe_float_array(f->dlogits, BATCH * SMALL_CLASSES);

    net_zero_grads(f->net);
    add_seed(f);
    net_backward(f->net, dlogits, flags);
    free(dlogits);
}

static void
check_gradient(struct fixture *f, const char *what, const float *got, double *at,
               int64_t n)
{
    const int64_t step = n / 8 + 1;
    double want[9];
    float picked[9];
    int64_t count = 0;

    for (int64_t i = 0; i < n; i += step) {
        picked[count] = got[i];
        want[count++] = ref_derivative(scalar, f, &at[i]);
    }
    assert_true(near_check(picked, want, count, 1e-4, what));
}

static void
for_all(void (*check)(struct fixture *f))
{
    for (const struct backend *const *b = backends; *b != NULL; b++)
        for (int i = 0; i < 4; i++) {
            struct fixture f;
            setup_keep(&f, *b, i % 2 ? NET_EVAL : NET_TRAIN,
                       i / 2 ? NET_KEEP_LOGITS : NET_KEEP_MAPS);
            check(&f);
            teardown(&f);
        }
}

/* ---- tests ----------------------------------------------------------------------- */

static void
check_forward(struct fixture *f)
{
    float plain[9 * SIDE2 * SIDE2];
    const float *logits = forward(f);

    scalar(f);
    assert_near(logits, f->logits, BATCH * SMALL_CLASSES, 1e-5);
    const struct net_map group = net_group_map(f->net, 0);
    const struct net_map act = net_act_map(f->net, 2); /* the same node */
    assert_ptr_equal(group.data, act.data);
    for (int i = 0; i < BATCH; i++) {
        net_map_to_plain(&group, net_group_image(f->net, 0, i, 1), plain);
        assert_near(plain, f->group + i * 9 * SIDE2 * SIDE2, 9 * SIDE2 * SIDE2, 1e-5);
    }
}

static void
logits_and_maps_equal_the_reference(void **state)
{
    (void)state;
    for_all(check_forward);
}

static void
check_all_gradients(struct fixture *f)
{
    forward(f);
    backward(f, NET_GRAD_PARAMS | NET_GRAD_INPUT);
    check_gradient(f, "input", net_input_grad(f->net), f->x, BATCH * SMALL_IMAGE);
    for (size_t i = 0; i < f->n_params; i++)
        if (f->params[i].grad != NULL && strstr(f->params[i].name, "BN_c") == NULL)
            check_gradient(f, f->params[i].name, f->params[i].grad, f->values[i],
                           f->params[i].size);
}

static void
all_gradients_are_derivatives(void **state)
{
    (void)state;
    for_all(check_all_gradients);
}

static void
check_flags(struct fixture *f)
{
    float *both = malloc(sizeof(float) * BATCH * SMALL_IMAGE);

    forward(f);
    backward(f, NET_GRAD_PARAMS | NET_GRAD_INPUT);
    memcpy(both, net_input_grad(f->net), sizeof(float) * BATCH * SMALL_IMAGE);
    struct net_param *p = net_find_param(f->net, "conv1.weight");
    const float kept = p->grad[7];

    forward(f);
    backward(f, NET_GRAD_INPUT);
    assert_memory_equal(both, net_input_grad(f->net),
                        sizeof(float) * BATCH * SMALL_IMAGE);
    assert_true(p->grad[7] == 0.0f);
    forward(f);
    backward(f, NET_GRAD_PARAMS);
    assert_true(p->grad[7] == kept);
    free(both);
}

/* In evaluation, the input's gradient alone takes another order of work. */
static void
each_flag_gives_the_same_bits_as_both(void **state)
{
    (void)state;
    for_all(check_flags);
}

/* d/dx for a seed of group 0 that is its map times i % 5 at pixel i, or for that gain. */
static void
input_grad_of_gain(struct fixture *f, float *dx, bool as_seed)
{
    float *dlogits = probe_float_array(f->dlogits, BATCH * SMALL_CLASSES);

    forward(f);
    const struct net_map map = net_group_map(f->net, 0);
    const int64_t pixels = map.h * map.w;
    for (int64_t i = 0; i < BATCH * pixels && !as_seed; i++)
        net_group_gain(f->net, 0)[i] += (float)(i % 5);
    for (int64_t i = 0; i < BATCH && as_seed; i++) {
        const float *image = net_group_image(f->net, 0, i, 0);
        float *seed = net_group_seed(f->net, 0).data + i * map.per_image;
        for (int64_t k = 0; k < map.per_image; k++)
            seed[k] += (float)((i * pixels + k / map.block % pixels) % 5) * image[k];
    }
    net_backward(f->net, dlogits, NET_GRAD_INPUT);
    memcpy(dx, net_input_grad(f->net), sizeof(float) * BATCH * SMALL_IMAGE);
    free(dlogits);
}

static void
check_gain(struct fixture *f)
{
    float *got = probe_float_array(NULL, BATCH * SMALL_IMAGE);
    float *want = probe_float_array(NULL, BATCH * SMALL_IMAGE);

    input_grad_of_gain(f, want, true);
    input_grad_of_gain(f, got, false);
    assert_memory_equal(got, want, sizeof(float) * BATCH * SMALL_IMAGE);
    free(got);
    free(want);
}

static void
a_gain_is_a_seed_made_of_the_map(void **state)
{
    (void)state;
    for_all(check_gain);
}

static void
parameter_gradients_accumulate(void **state)
{
    struct fixture f;
    (void)state;

    setup(&f, backends[0], NET_EVAL);
    forward(&f);
    backward(&f, NET_GRAD_PARAMS);
    const struct net_param *p = net_find_param(f.net, "conv3.weight");
    const float once = p->grad[0];
    float *dlogits = probe_float_array(f.dlogits, BATCH * SMALL_CLASSES);
    forward(&f);
    add_seed(&f);
    net_backward(f.net, dlogits, NET_GRAD_PARAMS);
    assert_near_number((double)p->grad[0], 2.0 * (double)once, 1e-6);
    free(dlogits);
    teardown(&f);
}

static void
masks_are_ones_at_first_and_come_back_as_set(void **state)
{
    struct fixture f;
    (void)state;

    setup(&f, backends[0], NET_EVAL);
    for (int i = 0; i < SMALL_MASKS; i++) {
        const struct graph_shape s = graph_mask_shape(net_graph(f.net), i);
        const int64_t size = s.c * s.h * s.w;
        uint8_t want[SMALL_SIDE * SMALL_SIDE * 16], got[SMALL_SIDE * SMALL_SIDE * 16];
        memset(want, 1, sizeof(want));
        if (i > 0)
            probe_mask(want, size, 40 + (uint32_t)i);
        net_get_mask(f.net, i, got);
        assert_memory_equal(got, want, (size_t)size);
    }
    teardown(&f);
}

static void
seeds_are_zero_after_each_forward(void **state)
{
    struct fixture f;
    (void)state;

    setup(&f, backends[0], NET_TRAIN);
    for (int round = 0; round < 2; round++) {
        forward(&f);
        const struct net_map m = net_act_seed(f.net, 0);
        for (int64_t i = 0; i < BATCH * m.per_image; i++)
            assert_true(m.data[i] == 0.0f);
        m.data[5] = 1.0f;
        assert_true(net_act_seed(f.net, 0).data[5] == 1.0f);
    }
    teardown(&f);
}

/* Smaller batches run on the same net, image by image the same in evaluation. */
static void
any_batch_up_to_the_largest_gives_the_same_logits(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f;
        setup(&f, *b, NET_EVAL);
        scalar(&f);
        float *x = probe_float_array(f.x, BATCH * SMALL_IMAGE);
        for (int64_t n = 1; n <= BATCH; n++) {
            const float *logits = net_forward(f.net, x, n, NET_EVAL, PATH);
            assert_near(logits, f.logits, n * SMALL_CLASSES, 1e-5);
        }
        free(x);
        teardown(&f);
    }
}

/* 77 images are 10 slices in 8 groups, the last one cut short. */
static void
the_gradient_of_a_large_batch_is_the_sum_over_its_images(void **state)
{
    enum { MANY = 77 };
    (void)state;

    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f;
        setup(&f, *b, NET_EVAL);
        struct net *net = probe_net(net_graph(f.net), *b, f.team, MANY, true);
        struct net_param *p = net_find_param(net, "conv2.weight");
        double *x = probe_array(MANY * SMALL_IMAGE, 1.0, 1);
        double *d = probe_array(MANY * SMALL_CLASSES, 1.0, 2), sum[9 * 5 * 9];
        float *xf = probe_float_array(x, MANY * SMALL_IMAGE);
        float *df = probe_float_array(d, MANY * SMALL_CLASSES);
        probe_fill(net);
        net_zero_grads(net);
        for (int i = 0; i < MANY; i++) {
            net_forward(net, xf + (int64_t)i * SMALL_IMAGE, 1, NET_EVAL, PATH);
            net_backward(net, df + (int64_t)i * SMALL_CLASSES, NET_GRAD_PARAMS);
        }
        for (int64_t i = 0; i < p->size; i++)
            sum[i] = (double)p->grad[i];
        net_zero_grads(net);
        net_forward(net, xf, MANY, NET_EVAL, PATH);
        net_backward(net, df, NET_GRAD_PARAMS);
        assert_near(p->grad, sum, p->size, 1e-5);
        free(x);
        free(d);
        free(xf);
        free(df);
        net_free(net);
        teardown(&f);
    }
}

static void
parameters_are_in_state_dict_order_with_their_roles(void **state)
{
    static const char *const names[] = {
        "conv1.weight",          "bn1.BN_c.weight",      "bn1.BN_c.bias",
        "bn1.BN_c.running_mean", "bn1.BN_c.running_var", "bn1.BN_c.num_batches_tracked",
        "bn1.BN_a.weight"};
    struct fixture f;
    (void)state;

    setup(&f, backends[0], NET_EVAL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_string_equal(f.params[i].name, names[i]);
    assert_string_equal(f.params[f.n_params - 1].name, "fc.bias");
    assert_int_equal(f.params[0].role, NET_CONV_WEIGHT);
    assert_int_equal(f.params[0].n_dims, 4);
    assert_int_equal(f.params[5].n_dims, 0);
    assert_int_equal(f.params[5].size, 1);
    assert_null(f.params[3].grad);
    assert_null(net_find_param(f.net, "conv9.weight"));
    teardown(&f);
}

static void
too_large_a_net_is_an_out_of_memory_error(void **state)
{
    struct fixture f;
    struct err err;
    struct net *net;
    (void)state;

    setup(&f, backends[0], NET_EVAL);
    /* the last backend: oneDNN would refuse such a size before memory is asked for */
    const struct backend *last = backends[0];
    for (const struct backend *const *b = backends; *b != NULL; b++)
        last = *b;
    const struct net_config config = {.backend = last,
                                      .team = f.team,
                                      .max_batch = INT64_C(1) << 40,
                                      .gradients = true};
    assert_int_equal(net_new(&net, net_graph(f.net), &config, &err), -1);
    assert_int_equal(err.kind, ERR_OOM);
    teardown(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_and_maps_equal_the_reference),
        cmocka_unit_test(all_gradients_are_derivatives),
        cmocka_unit_test(each_flag_gives_the_same_bits_as_both),
        cmocka_unit_test(a_gain_is_a_seed_made_of_the_map),
        cmocka_unit_test(parameter_gradients_accumulate),
        cmocka_unit_test(masks_are_ones_at_first_and_come_back_as_set),
        cmocka_unit_test(seeds_are_zero_after_each_forward),
        cmocka_unit_test(any_batch_up_to_the_largest_gives_the_same_logits),
        cmocka_unit_test(the_gradient_of_a_large_batch_is_the_sum_over_its_images),
        cmocka_unit_test(parameters_are_in_state_dict_order_with_their_roles),
        cmocka_unit_test(too_large_a_net_is_an_out_of_memory_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
