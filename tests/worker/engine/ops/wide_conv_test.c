/* wide_conv_test.c - a convolution of so many channels, and of so many images, that its
 * weight gradient is made from several stages: equal to that of the readable backend, and
 * the same bits for any number of threads. */
#include "tests/worker/engine/probe.h"

#include <string.h>

#include "tests/support/near.h"
#include "worker/engine/backend.h"

enum { BATCH = 52, CHANNELS = 100, SIDE = 16, CLASSES = 3, IMAGE = 3 * SIDE * SIDE };

static const float no_mean[3] = {0.0f, 0.0f, 0.0f}, no_scale[3] = {1.0f, 1.0f, 1.0f};

static struct graph *
wide_graph(void)
{
    struct graph *g = graph_new(3, SIDE, SIDE);
    int x = graph_normalize(g, graph_input(g), no_mean, no_scale);

    x = graph_conv(g, x, &(struct graph_conv){"narrow", CHANNELS, 3, 1, 1});
    x = graph_conv(g, x, &(struct graph_conv){"wide", CHANNELS, 3, 1, 1});
    graph_linear(g, graph_pool(g, x), "linear", CLASSES);
    return g;
}

/* The gradient of wide.weight; caller frees. */
static float *
wide_gradient(const struct backend *backend, int threads, int64_t *size)
{
    struct graph *g = wide_graph();
    struct team *team = team_new(threads);
    struct net *n = probe_net(g, backend, team, BATCH, true);
    double *x = probe_array(BATCH * IMAGE, 1.0, 1);
    double *d = probe_array(BATCH * CLASSES, 1.0, 2);
    float *xf = probe_float_array(x, BATCH * IMAGE);
    float *df = probe_float_array(d, BATCH * CLASSES);
    size_t count;

    probe_fill(n);
    net_zero_grads(n);
    net_forward(n, xf, BATCH, NET_TRAIN, 0);
    net_backward(n, df, NET_GRAD_PARAMS);
    const struct net_param *params = net_params(n, &count);
    assert_string_equal(params[1].name, "wide.weight");
    *size = params[1].size;
    float *grad = probe_float_array(NULL, *size);
    memcpy(grad, params[1].grad, (size_t)*size * sizeof(float));
    net_free(n);
    team_free(team);
    graph_free(g);
    free(x);
    free(d);
    free(xf);
    free(df);
    return grad;
}

static void
the_weight_gradient_is_that_of_the_readable_backend(void **state)
{
    const struct backend *readable;
    struct err err;
    int64_t size;
    (void)state;

    assert_int_equal(backend_find(&readable, "blas", &err), 0);
    float *want = wide_gradient(readable, 2, &size);
    double *exact = probe_array(size, 0.0, 0);

    for (int64_t i = 0; i < size; i++)
        exact[i] = (double)want[i];
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        float *got = wide_gradient(*b, 2, &size);

        assert_near(got, exact, size, 1e-5);
        free(got);
    }
    free(want);
    free(exact);
}

static void
the_weight_gradient_is_the_same_bits_for_any_number_of_threads(void **state)
{
    int64_t size;
    (void)state;

    for (const struct backend *const *b = backends; *b != NULL; b++) {
        float *one = wide_gradient(*b, 1, &size), *three = wide_gradient(*b, 3, &size);

        assert_memory_equal(one, three, (size_t)size * sizeof(float));
        free(one);
        free(three);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weight_gradient_is_that_of_the_readable_backend),
        cmocka_unit_test(
            the_weight_gradient_is_the_same_bits_for_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
