/* threads_test.c - the same bits for any number of threads: forward, backward and some
 * optimiser steps, in training and evaluation, on every backend. */
#include "tests/worker/engine/small_resnet.h"

#include <string.h>

#include "worker/engine/optim/optim.h"

enum { BATCH = 77, STEPS = 2, MAX_THREADS = 4 };

/* All numbers that a run leaves behind, one after the other. */
struct trail {
    float *data;
    size_t n, capacity;
};

static void
leave(struct trail *t, const float *data, int64_t n)
{
    if (t->n + (size_t)n > t->capacity) {
        t->capacity = 2 * (t->n + (size_t)n);
        t->data = realloc(t->data, t->capacity * sizeof(float));
    }
    memcpy(t->data + t->n, data, (size_t)n * sizeof(float));
    t->n += (size_t)n;
}

static void
step(struct trail *t, struct net *n, const float *x, const float *dlogits, int path)
{
    static const struct optim_sgd sgd = {0.9, 5e-4};
    size_t count;
    struct net_param *params = net_params(n, &count);

    optim_sgd_begin(n, &sgd);
    leave(t, net_forward(n, x, BATCH, NET_EVAL, path), BATCH * SMALL_CLASSES);
    net_backward(n, dlogits, NET_GRAD_INPUT);
    leave(t, net_input_grad(n), BATCH * SMALL_IMAGE);
    leave(t, net_forward(n, x, BATCH, NET_TRAIN, path), BATCH * SMALL_CLASSES);
    const struct net_map seed = net_group_seed(n, 0);
    for (int64_t i = 0; i < BATCH * seed.per_image; i += 7)
        seed.data[i] += 0.01f;
    for (int64_t i = 0; i < BATCH * seed.h * seed.w; i += 3)
        net_group_gain(n, 0)[i] += 0.02f;
    net_backward(n, dlogits, NET_GRAD_PARAMS | NET_GRAD_INPUT);
    leave(t, net_input_grad(n), BATCH * SMALL_IMAGE);
    for (size_t i = 0; i < count; i++)
        if (params[i].grad != NULL)
            leave(t, params[i].grad, params[i].size);
    optim_sgd_end(n, 0.05);
    for (size_t i = 0; i < count; i++)
        leave(t, params[i].value, params[i].size);
}

static struct trail
run(const struct backend *backend, int threads, enum net_keep keep)
{
    struct trail trail = {0};
    struct graph *g = small_resnet();
    struct team *team = team_new(threads);
    struct net *n = probe_net_keep(g, backend, team, BATCH, keep);
    double *x = probe_array(BATCH * SMALL_IMAGE, 1.0, 1);
    double *d = probe_array(BATCH * SMALL_CLASSES, 0.05, 2);
    float *xf = probe_float_array(x, BATCH * SMALL_IMAGE);
    float *df = probe_float_array(d, BATCH * SMALL_CLASSES);

    probe_fill(n);
    small_set_masks(n);
    for (int i = 0; i < STEPS; i++)
        step(&trail, n, xf, df, i % 2);
    net_free(n);
    team_free(team);
    graph_free(g);
    free(x);
    free(d);
    free(xf);
    free(df);
    return trail;
}

static void
all_numbers_are_equal_for_1_to_4_threads(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct trail one = run(*b, 1, NET_KEEP_MAPS);
        double sum = 0.0;

        for (size_t i = 0; i < one.n; i++)
            sum += (double)one.data[i] * (double)one.data[i];
        assert_true(sum > 1.0 && sum < 1e12); /* numbers, and not NaN */
        for (int threads = 2; threads <= MAX_THREADS; threads++) {
            struct trail other = run(*b, threads, NET_KEEP_MAPS);
            assert_int_equal(other.n, one.n);
            assert_memory_equal(other.data, one.data, one.n * sizeof(float));
            free(other.data);
        }
        free(one.data);
    }
}

/* With what is not stored: norms before convolutions, as residuals, and in a chain. */
static void
numbers_are_the_same_where_fewer_values_are_stored(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct trail all = run(*b, 1, NET_KEEP_MAPS);

        for (int threads = 1; threads <= MAX_THREADS; threads++) {
            struct trail fewer = run(*b, threads, NET_KEEP_LOGITS);
            assert_int_equal(fewer.n, all.n);
            assert_memory_equal(fewer.data, all.data, all.n * sizeof(float));
            free(fewer.data);
        }
        free(all.data);
    }
}

static void
a_second_run_gives_the_same_bits(void **state)
{
    (void)state;
    for (const struct backend *const *b = backends; *b != NULL; b++) {
        struct trail first = run(*b, 2, NET_KEEP_MAPS);
        struct trail second = run(*b, 2, NET_KEEP_MAPS);
        assert_memory_equal(first.data, second.data, first.n * sizeof(float));
        free(first.data);
        free(second.data);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_numbers_are_equal_for_1_to_4_threads),
        cmocka_unit_test(numbers_are_the_same_where_fewer_values_are_stored),
        cmocka_unit_test(a_second_run_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
