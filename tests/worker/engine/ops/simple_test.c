/* simple_test.c - normalize, add, pool and linear in one small net, in double:
 *
 *   logits = w * pool((x-mean)/std + (x-mean)/std) + b
 */
#include "tests/worker/engine/probe.h"

#include "tests/support/near.h"
#include "tests/support/ref_ops.h"

enum { CLASSES = 5 };

struct fixture {
    int64_t n, c, h, w;
    struct team *team;
    struct net *net;
    double *mean, *std, *x, *weight, *bias, *seed, *logits;
};

static int64_t
image(const struct fixture *f)
{
    return f->c * f->h * f->w;
}

static double
scalar(void *ctx)
{
    struct fixture *f = ctx;
    const int64_t pixels = f->h * f->w, all = f->n * image(f);
    double *z = probe_array(all, 0.0, 0), *mean = probe_array(f->n * f->c, 0.0, 0);

    ref_normalize(z, f->x, f->mean, f->std, f->n, f->c, pixels);
    ref_add(z, z, z, all);
    ref_pool(mean, z, f->n, f->c, pixels);
    ref_linear(f->logits, mean, f->weight, f->bias, f->n, CLASSES, f->c);
    free(z);
    free(mean);
    return ref_dot(f->logits, f->seed, f->n * CLASSES);
}

static void
setup(struct fixture *f, const struct backend *backend)
{
    struct graph *g = graph_new(f->c, f->h, f->w);
    float mean[32], std[32];

    f->mean = probe_array(f->c, 1.0, 1);
    f->std = probe_array(f->c, 0.5, 2);
    for (int64_t i = 0; i < f->c; i++)
        f->std[i] += 1.0;
    probe_floats(mean, f->mean, f->c);
    probe_floats(std, f->std, f->c);
    int x = graph_normalize(g, graph_input(g), mean, std);
    x = graph_pool(g, graph_add(g, x, x));
    graph_linear(g, x, "fc", CLASSES);
    f->team = team_new(2);
    f->net = probe_net(g, backend, f->team, f->n, true);
    graph_free(g);
    f->x = probe_array(f->n * image(f), 1.0, 3);
    f->weight = probe_array(CLASSES * f->c, 1.0, 4);
    f->bias = probe_array(CLASSES, 1.0, 5);
    f->seed = probe_array(f->n * CLASSES, 1.0, 6);
    f->logits = probe_array(f->n * CLASSES, 0.0, 0);
    probe_floats(net_find_param(f->net, "fc.weight")->value, f->weight, CLASSES * f->c);
    probe_floats(net_find_param(f->net, "fc.bias")->value, f->bias, CLASSES);
    net_params_changed(f->net);
}

static void
teardown(struct fixture *f)
{
    double *arrays[] = {f->mean, f->std, f->x, f->weight, f->bias, f->seed, f->logits};

    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
        free(arrays[i]);
    net_free(f->net);
    team_free(f->team);
}

static void
check_gradient(struct fixture *f, const float *got, double *at, int64_t n)
{
    double *want = probe_array(n, 0.0, 0);

    for (int64_t i = 0; i < n; i++)
        want[i] = ref_derivative(scalar, f, &at[i]);
    assert_near(got, want, n, 1e-4);
    free(want);
}

static void
check(struct fixture *f)
{
    float *x = probe_float_array(f->x, f->n * image(f));
    float *seed = probe_float_array(f->seed, f->n * CLASSES);

    const float *logits = net_forward(f->net, x, f->n, NET_TRAIN, 0);
    scalar(f);
    assert_near(logits, f->logits, f->n * CLASSES, 1e-5);
    net_zero_grads(f->net);
    net_backward(f->net, seed, NET_GRAD_PARAMS | NET_GRAD_INPUT);
    check_gradient(f, net_input_grad(f->net), f->x, f->n * image(f));
    check_gradient(f, net_find_param(f->net, "fc.weight")->grad, f->weight,
                   CLASSES * f->c);
    check_gradient(f, net_find_param(f->net, "fc.bias")->grad, f->bias, CLASSES);
    free(x);
    free(seed);
}

static void
values_and_gradients_equal_the_reference(void **state)
{
    static const struct fixture shapes[] = {{.n = 1, .c = 3, .h = 4, .w = 5},
                                            {.n = 9, .c = 11, .h = 2, .w = 3},
                                            {.n = 3, .c = 16, .h = 1, .w = 1},
                                            {.n = 2, .c = 17, .h = 3, .w = 3}};
    (void)state;

    for (const struct backend *const *b = backends; *b != NULL; b++)
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
            struct fixture f = shapes[i];
            setup(&f, *b);
            check(&f);
            teardown(&f);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_gradients_equal_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
