/* norm_test.c - batch norm + residual + masked ReLU in a small net:
 *
 *   r = bn_r(x)      y = act(bn_n(x) + r)      scalar = sum(seed * y)
 *
 * against the double reference, in training and evaluation, on every backend. The path
 * of the residual makes the input's gradient a sum of two. */
#include "tests/worker/engine/probe.h"

#include <math.h>
#include <string.h>

#include "tests/support/near.h"
#include "tests/support/ref_ops.h"

enum { PATHS = 2, PATH = 1 };

struct fixture {
    int64_t n, c, h, w, size; /* size: of an image */
    enum net_mode mode;
    enum graph_act act;
    struct team *team;
    struct net *net;
    uint8_t *mask;
    double *x, *y, *seed;
    double *gamma[2], *beta[2], *mean[2], *var[2]; /* of bn_n (path 1) and bn_r */
};

static const char *const prefixes[2] = {"n.BN_a", "r"};

static struct net_param *
param(struct fixture *f, int norm, const char *suffix)
{
    char name[64];

    snprintf(name, sizeof(name), "%s.%s", prefixes[norm], suffix);
    struct net_param *p = net_find_param(f->net, name);
    assert_non_null(p);
    return p;
}

static double *
doubles(const struct net_param *p)
{
    double *x = probe_array(p->size, 0.0, 0);

    for (int64_t i = 0; i < p->size; i++)
        x[i] = (double)p->value[i];
    return x;
}

/* y as the reference has it, from f->x and the parameters. */
static void
reference(struct fixture *f)
{
    const int64_t pixels = f->h * f->w, all = f->n * f->size;
    double *part[2], *mean = probe_array(f->c, 0.0, 0),
                     *var = probe_array(f->c, 0.0, 0);

    ref_batch_stats(mean, var, f->x, f->n, f->c, pixels);
    for (int i = 0; i < 2; i++) {
        const bool train = f->mode == NET_TRAIN;
        part[i] = probe_array(all, 0.0, 0);
        ref_norm(part[i], f->x, train ? mean : f->mean[i], train ? var : f->var[i],
                 f->gamma[i], f->beta[i], f->n, f->c, pixels);
    }
    ref_add(f->y, part[0], part[1], all);
    if (f->act == GRAPH_RELU)
        ref_masked_relu(f->y, f->y, f->mask, f->n, f->size);
    free(part[0]);
    free(part[1]);
    free(mean);
    free(var);
}

static double
scalar(void *ctx)
{
    struct fixture *f = ctx;

    reference(f);
    return ref_dot(f->y, f->seed, f->n * f->size);
}

static struct net *
make_net(struct fixture *f, const struct backend *backend)
{
    struct graph *g = graph_new(f->c, f->h, f->w);
    const int x = graph_input(g);
    const int r = graph_norm(g, x, &(struct graph_norm){"r", 1, -1, GRAPH_LINEAR});
    const int y = graph_norm(g, x, &(struct graph_norm){"n", PATHS, r, f->act});

    graph_group(g, y);
    graph_linear(g, graph_pool(g, y), "fc", 2);
    struct net *net = probe_net(g, backend, f->team, f->n, true);
    graph_free(g);
    return net;
}

static void
setup(struct fixture *f, const struct backend *backend)
{
    f->size = f->c * f->h * f->w;
    f->team = team_new(2);
    f->net = make_net(f, backend);
    probe_fill(f->net);
    f->x = probe_array(f->n * f->size, 2.0, 1);
    f->seed = probe_array(f->n * f->size, 1.0, 2);
    f->y = probe_array(f->n * f->size, 0.0, 0);
    f->mask = malloc((size_t)f->size);
    probe_mask(f->mask, f->size, 3);
    if (f->act == GRAPH_RELU)
        net_set_mask(f->net, 0, f->mask);
    for (int i = 0; i < 2; i++) {
        f->gamma[i] = doubles(param(f, i, "weight"));
        f->beta[i] = doubles(param(f, i, "bias"));
        f->mean[i] = doubles(param(f, i, "running_mean"));
        f->var[i] = doubles(param(f, i, "running_var"));
    }
}

static void
teardown(struct fixture *f)
{
    for (int i = 0; i < 2; i++) {
        free(f->gamma[i]);
        free(f->beta[i]);
        free(f->mean[i]);
        free(f->var[i]);
    }
    free(f->x);
    free(f->y);
    free(f->seed);
    free(f->mask);
    net_free(f->net);
    team_free(f->team);
}

static void
run_forward(struct fixture *f)
{
    float *x = probe_float_array(f->x, f->n * f->size);

    net_forward(f->net, x, f->n, f->mode, PATH);
    free(x); /* the net must not need it any more */
}

static void
check_forward(struct fixture *f)
{
    const struct net_map map = net_group_map(f->net, 0);
    float *plain = probe_float_array(NULL, f->n * f->size);

    for (int64_t i = 0; i < f->n; i++)
        net_map_to_plain(&map, map.data + i * map.per_image, plain + i * f->size);
    reference(f);
    assert_near(plain, f->y, f->n * f->size, 2e-6);
    free(plain);
}

/* Places a plain array into the seed's layout: the inverse of net_map_to_plain, found by
 * sending the position of every float through it. */
static void
set_seed(struct fixture *f)
{
    const struct net_map map = net_group_seed(f->net, 0);
    float *index = probe_float_array(NULL, map.per_image);
    float *plain = probe_float_array(NULL, f->size);

    for (int64_t i = 0; i < map.per_image; i++)
        index[i] = (float)i;
    net_map_to_plain(&map, index, plain);
    for (int64_t i = 0; i < f->n * f->size; i++)
        map.data[i / f->size * map.per_image + (int64_t)plain[i % f->size]] +=
            (float)f->seed[i];
    free(index);
    free(plain);
}

static void
check_gradient(struct fixture *f, const float *got, double *at, int64_t n)
{
    const int64_t step = n / 40 + 1;
    double want[41];
    float picked[41];
    int64_t count = 0;

    for (int64_t i = 0; i < n; i += step) {
        picked[count] = got[i];
        want[count++] = ref_derivative(scalar, f, &at[i]);
    }
    assert_near(picked, want, count, 1e-4);
}

static void
check_backward(struct fixture *f)
{
    const float dlogits[64] = {0};

    net_zero_grads(f->net);
    set_seed(f);
    net_backward(f->net, dlogits, NET_GRAD_PARAMS | NET_GRAD_INPUT);
    check_gradient(f, net_input_grad(f->net), f->x, f->n * f->size);
    for (int i = 0; i < 2; i++) {
        check_gradient(f, param(f, i, "weight")->grad, f->gamma[i], f->c);
        check_gradient(f, param(f, i, "bias")->grad, f->beta[i], f->c);
    }
}

static void
for_all(enum net_mode mode, void (*check)(struct fixture *f))
{
    static const struct fixture shapes[] = {
        {.n = 1, .c = 3, .h = 5, .w = 7},   {.n = 9, .c = 11, .h = 3, .w = 3},
        {.n = 17, .c = 8, .h = 1, .w = 2},  {.n = 2, .c = 17, .h = 10, .w = 9},
        {.n = 3, .c = 1, .h = 25, .w = 25},
    };

    for (const struct backend *const *b = backends; *b != NULL; b++)
        for (size_t i = 0; i < 2 * sizeof(shapes) / sizeof(shapes[0]); i++) {
            struct fixture f = shapes[i / 2];
            f.mode = mode;
            f.act = i % 2 ? GRAPH_RELU : GRAPH_LINEAR;
            setup(&f, *b);
            run_forward(&f);
            check(&f);
            teardown(&f);
        }
}

static void
training_normalises_by_the_batch(void **state)
{
    (void)state;
    for_all(NET_TRAIN, check_forward);
}

static void
evaluation_normalises_by_the_running_statistics(void **state)
{
    (void)state;
    for_all(NET_EVAL, check_forward);
}

static void
gradients_in_training_are_derivatives(void **state)
{
    (void)state;
    for_all(NET_TRAIN, check_backward);
}

static void
gradients_in_evaluation_are_derivatives(void **state)
{
    (void)state;
    for_all(NET_EVAL, check_backward);
}

/* running = 0.9 running + 0.1 value, with the unbiased variance */
static void
check_running(struct fixture *f)
{
    const int64_t count = f->n * f->h * f->w;
    double *mean = probe_array(f->c, 0.0, 0), *var = probe_array(f->c, 0.0, 0);

    ref_batch_stats(mean, var, f->x, f->n, f->c, f->h * f->w);
    for (int i = 0; i < 2; i++) {
        for (int64_t c = 0; c < f->c; c++) {
            f->mean[i][c] = 0.9 * f->mean[i][c] + 0.1 * mean[c];
            f->var[i][c] =
                0.9 * f->var[i][c] + 0.1 * var[c] * (double)count / (double)(count - 1);
        }
        assert_near(param(f, i, "running_mean")->value, f->mean[i], f->c, 1e-6);
        assert_near(param(f, i, "running_var")->value, f->var[i], f->c, 1e-6);
        assert_true(param(f, i, "num_batches_tracked")->value[0] == 1.0f);
    }
    free(mean);
    free(var);
}

static void
training_moves_the_running_statistics_as_pytorch_does(void **state)
{
    (void)state;
    for_all(NET_TRAIN, check_running);
}

static void
check_untouched(struct fixture *f)
{
    for (int i = 0; i < 2; i++) {
        assert_near(param(f, i, "running_mean")->value, f->mean[i], f->c, 0.0);
        assert_near(param(f, i, "running_var")->value, f->var[i], f->c, 0.0);
        assert_true(param(f, i, "num_batches_tracked")->value[0] == 0.0f);
    }
}

static void
evaluation_leaves_the_running_statistics_alone(void **state)
{
    (void)state;
    for_all(NET_EVAL, check_untouched);
}

static void
a_pass_touches_its_own_path_only(void **state)
{
    struct fixture f = {
        .n = 4, .c = 5, .h = 3, .w = 3, .mode = NET_TRAIN, .act = GRAPH_RELU};
    const float dlogits[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    (void)state;

    setup(&f, backends[0]);
    run_forward(&f);
    net_zero_grads(f.net);
    net_backward(f.net, dlogits, NET_GRAD_PARAMS);
    const struct net_param *other = net_find_param(f.net, "n.BN_c.weight");
    for (int64_t c = 0; c < f.c; c++)
        assert_true(other->grad[c] == 0.0f && param(&f, 0, "weight")->grad[c] != 0.0f);
    other = net_find_param(f.net, "n.BN_c.num_batches_tracked");
    assert_true(other->value[0] == 0.0f);
    teardown(&f);
}

/* A mean far from zero must not cost the variance its digits. */
static void
statistics_survive_a_large_mean(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct fixture f = {
            .n = 12, .c = 3, .h = 6, .w = 6, .mode = NET_TRAIN, .act = GRAPH_LINEAR};
        setup(&f, *b);
        for (int64_t i = 0; i < f.n * f.size; i++)
            f.x[i] = (double)(float)(f.x[i] + 1000.0);
        run_forward(&f);
        reference(&f);
        const struct net_map map = net_group_map(f.net, 0);
        float *plain = probe_float_array(NULL, f.n * f.size);
        for (int64_t i = 0; i < f.n; i++)
            net_map_to_plain(&map, map.data + i * map.per_image, plain + i * f.size);
        assert_near(plain, f.y, f.n * f.size, 1e-4);
        free(plain);
        teardown(&f);
    }
}

static void
nan_goes_through_masked_and_plain_relu(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++)
        for (int masked = 0; masked < 2; masked++) {
            struct fixture f = {
                .n = 1, .c = 1, .h = 2, .w = 2, .mode = NET_EVAL, .act = GRAPH_RELU};
            const uint8_t ones[4] = {1, 1, 1, 1};
            setup(&f, *b);
            if (!masked)
                net_set_mask(f.net, 0, ones);
            f.x[2] = (double)NAN;
            run_forward(&f);
            assert_true(
                isnan(net_group_map(f.net, 0).data[2 * net_group_map(f.net, 0).block]));
            teardown(&f);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_normalises_by_the_batch),
        cmocka_unit_test(evaluation_normalises_by_the_running_statistics),
        cmocka_unit_test(gradients_in_training_are_derivatives),
        cmocka_unit_test(gradients_in_evaluation_are_derivatives),
        cmocka_unit_test(training_moves_the_running_statistics_as_pytorch_does),
        cmocka_unit_test(evaluation_leaves_the_running_statistics_alone),
        cmocka_unit_test(a_pass_touches_its_own_path_only),
        cmocka_unit_test(statistics_survive_a_large_mean),
        cmocka_unit_test(nan_goes_through_masked_and_plain_relu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
