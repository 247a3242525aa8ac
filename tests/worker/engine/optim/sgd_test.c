/* sgd_test.c - several steps against PyTorch's rule written in double. */
#include "tests/worker/engine/small_resnet.h"

#include <string.h>

#include "tests/support/near.h"
#include "worker/engine/optim/optim.h"

enum { STEPS = 4 };

static double
gradient_of(int64_t i)
{
    return 0.01 * (double)(i % 13 - 6);
}

/* As several backward passes would. */
static void
add_gradients(struct net_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int64_t k = 0; params[i].grad != NULL && k < params[i].size; k++) {
            params[i].grad[k] += 0.01f;
            params[i].grad[k] += (float)(gradient_of(k) - 0.01);
        }
}

static void
check_param(const struct net_param *p, const float *start, const struct optim_sgd *sgd)
{
    for (int64_t i = 0; i < p->size; i++) {
        double w = (double)start[i], v = 0.0;
        for (int step = 0; step < STEPS; step++) {
            const double g = gradient_of(i) + sgd->weight_decay * w;
            v = step == 0 ? g : sgd->momentum * v + g;
            w -= 0.1 / (1 + step) * v;
        }
        assert_true(fabs((double)p->value[i] - w) < 1e-5);
    }
}

/* Frees the graph. */
static void
check_steps(struct graph *g)
{
    static const struct optim_sgd sgd = {.momentum = 0.9, .weight_decay = 0.01};
    struct team *team = team_new(2);
    struct net *n = probe_net(g, backends[0], team, 1, true);
    size_t count;
    struct net_param *params = net_params(n, &count);
    float **start = calloc(count, sizeof(float *));

    probe_fill(n);
    for (size_t i = 0; i < count; i++) {
        start[i] = malloc((size_t)params[i].size * sizeof(float));
        memcpy(start[i], params[i].value, (size_t)params[i].size * sizeof(float));
    }
    for (int step = 0; step < STEPS; step++) {
        optim_sgd_begin(n, &sgd);
        add_gradients(params, count);
        optim_sgd_end(n, 0.1 / (1 + step));
    }
    for (size_t i = 0; i < count; i++) {
        if (params[i].grad != NULL)
            check_param(&params[i], start[i], &sgd);
        else
            assert_memory_equal(params[i].value, start[i],
                                (size_t)params[i].size * sizeof(float));
        free(start[i]);
    }
    free(start);
    net_free(n);
    team_free(team);
    graph_free(g);
}

static void
steps_follow_pytorch_for_every_trained_parameter(void **state)
{
    (void)state;
    check_steps(small_resnet());
}

/* Parameters of several blocks of work (sgd.c), which end somewhere in one. */
static void
large_parameters_are_updated_from_end_to_end(void **state)
{
    struct graph *g = graph_new(3, 4, 4);
    int x = graph_conv(g, graph_input(g), &(struct graph_conv){"conv1", 60, 3, 1, 1});

    (void)state;
    x = graph_conv(g, x, &(struct graph_conv){"conv2", 70, 3, 1, 1});
    graph_linear(g, graph_pool(g, x), "fc", 300);
    check_steps(g);
}

static void
what_the_passes_add_is_the_gradient(void **state)
{
    static const struct optim_sgd sgd = {.momentum = 0.9, .weight_decay = 0.5};
    struct graph *g = small_resnet();
    struct team *team = team_new(1);
    struct net *n = probe_net(g, backends[0], team, 1, true);
    (void)state;

    probe_fill(n);
    const struct net_param *p = net_find_param(n, "conv3.weight");
    for (int step = 0; step < STEPS; step++) {
        const float start = optim_sgd_start(p, 3, &sgd);
        optim_sgd_begin(n, &sgd);
        assert_true(fabsf(p->grad[3] - start) < 1e-6f);
        p->grad[3] += 0.25f;
        optim_sgd_end(n, 0.1);
        assert_true(fabsf(p->grad[3] - start - 0.25f) < 1e-6f);
    }
    net_free(n);
    team_free(team);
    graph_free(g);
}

static void
the_next_pass_sees_the_new_weights(void **state)
{
    static const struct optim_sgd sgd = {0};
    struct graph *g = small_resnet();
    struct team *team = team_new(1);
    struct net *n = probe_net(g, backends[0], team, 1, true);
    double *x = probe_array(SMALL_IMAGE, 1.0, 1);
    float *xf = probe_float_array(x, SMALL_IMAGE);
    (void)state;

    probe_fill(n);
    optim_sgd_begin(n, &sgd);
    const float before = net_forward(n, xf, 1, NET_EVAL, 0)[0];
    net_find_param(n, "conv3.weight")->grad[0] = 1.0f;
    optim_sgd_end(n, 5.0);
    assert_true(net_forward(n, xf, 1, NET_EVAL, 0)[0] != before);
    free(x);
    free(xf);
    net_free(n);
    team_free(team);
    graph_free(g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_pytorch_for_every_trained_parameter),
        cmocka_unit_test(large_parameters_are_updated_from_end_to_end),
        cmocka_unit_test(what_the_passes_add_is_the_gradient),
        cmocka_unit_test(the_next_pass_sees_the_new_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
