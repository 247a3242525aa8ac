/* checkpoint_test.c - a checkpoint gives back what it holds or changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "worker/pipeline/checkpoint.h"

static const char *const path = "checkpoint_test.safetensors";
enum { N_SCORES = 7 };

/* A network of one masked layer and everything around it. */
struct bench {
    struct team *team;
    struct net *net;
    struct snapshot best;
    struct checkpoint_state state;
    float scores[N_SCORES];
};

static struct graph *
small_graph(void)
{
    struct graph *g = graph_new(3, 8, 8);
    const struct graph_conv conv = {
        .name = "conv1", .channels = 4, .kernel = 3, .stride = 1, .pad = 1};
    const struct graph_norm norm = {
        .name = "bn1", .paths = 2, .residual = -1, .act = GRAPH_RELU};

    graph_linear(
        g, graph_pool(g, graph_norm(g, graph_conv(g, graph_input(g), &conv), &norm)),
        "linear", 5);
    return g;
}

/* Every number of the bench gets its own value, made from `salt`. */
static void
fill(struct bench *b, float salt)
{
    const int64_t size = graph_relus(net_graph(b->net));
    uint8_t *mask = calloc((size_t)size, 1);
    size_t count;
    struct net_param *params = net_params(b->net, &count);

    for (size_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < params[i].size; j++) {
            params[i].value[j] = salt + (float)i + (float)j / 1024;
            if (params[i].momentum != NULL)
                params[i].momentum[j] = -params[i].value[j];
        }
    }
    for (int64_t i = 0; i < size; i++)
        mask[i] = (i + (int64_t)salt) % 3 == 0;
    net_set_mask(b->net, 0, mask);
    for (int i = 0; i < N_SCORES; i++)
        b->scores[i] = salt * (float)i;
    b->state.counts.epoch = (int64_t)salt;
    b->state.counts.index = 17;
    b->state.sums.total = (double)salt / 3;
    free(mask);
}

static void
setup(struct bench *b, float salt)
{
    const struct backend *backend;
    struct graph *g = small_graph();
    struct err err;

    *b = (struct bench){.team = team_new(1)};
    assert_int_equal(backend_find(&backend, "auto", &err), 0);
    const struct net_config config = {
        .backend = backend, .team = b->team, .max_batch = 2, .gradients = true};
    assert_int_equal(net_new(&b->net, g, &config, &err), 0);
    assert_int_equal(snapshot_init(&b->best, b->net, &err), 0);
    graph_free(g);
    fill(b, salt);
}

static void
teardown(struct bench *b)
{
    snapshot_release(&b->best);
    net_free(b->net);
    team_free(b->team);
}

static struct checkpoint
checkpoint_of(struct bench *b)
{
    return (struct checkpoint){.job = "abc",
                               .state = &b->state,
                               .net = b->net,
                               .best = &b->best,
                               .scores = b->scores,
                               .n_scores = N_SCORES};
}

static void
expect_equal(struct bench *a, struct bench *b)
{
    const int64_t size = graph_relus(net_graph(a->net));
    uint8_t *x = calloc((size_t)size, 1), *y = calloc((size_t)size, 1);
    size_t count;
    struct net_param *p = net_params(a->net, &count), *q = net_params(b->net, &count);

    for (size_t i = 0; i < count; i++) {
        const size_t bytes = (size_t)p[i].size * sizeof(float);
        assert_memory_equal(p[i].value, q[i].value, bytes);
        if (p[i].momentum != NULL)
            assert_memory_equal(p[i].momentum, q[i].momentum, bytes);
    }
    net_get_mask(a->net, 0, x);
    net_get_mask(b->net, 0, y);
    assert_memory_equal(x, y, (size_t)size);
    assert_memory_equal(&a->state, &b->state, sizeof a->state);
    assert_memory_equal(a->scores, b->scores, sizeof a->scores);
    assert_int_equal(a->best.taken, b->best.taken);
    if (a->best.taken) {
        assert_memory_equal(a->best.values, b->best.values, a->best.n_values * 4);
        assert_memory_equal(a->best.masks, b->best.masks, a->best.n_masks);
    }
    free(x);
    free(y);
}

static void
round_trip(int with_best)
{
    struct bench a, b;
    struct err err;

    setup(&a, 2);
    setup(&b, 9);
    if (with_best) {
        snapshot_take(&a.best, a.net);
        fill(&a, 5);
    } else {
        snapshot_take(&b.best, b.net); /* must be forgotten */
    }
    const struct checkpoint from = checkpoint_of(&a), to = checkpoint_of(&b);
    assert_int_equal(checkpoint_save(&from, path, &err), 0);
    assert_int_equal(checkpoint_load(&to, path, &err), 0);
    expect_equal(&a, &b);
    teardown(&a);
    teardown(&b);
}

static void
everything_comes_back(void **state)
{
    (void)state;
    round_trip(1);
    round_trip(0);
}

/* Tries to load `path` into a bench and expects that nothing of it changes. */
static void
expect_refused(struct checkpoint *change, const char *says)
{
    struct bench b, same;
    struct err err;

    setup(&b, 9);
    setup(&same, 9);
    struct checkpoint to = checkpoint_of(&b);
    if (change != NULL) {
        to.job = change->job;
        to.n_scores = change->n_scores;
    }
    assert_int_equal(checkpoint_load(&to, path, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, says));
    expect_equal(&b, &same);
    teardown(&b);
    teardown(&same);
}

static void
another_job_another_shape_or_a_cut_file_change_nothing(void **state)
{
    struct bench a;
    struct buf bytes = {0};
    struct err err;

    (void)state;
    setup(&a, 2);
    const struct checkpoint from = checkpoint_of(&a);
    assert_int_equal(checkpoint_save(&from, path, &err), 0);
    expect_refused(&(struct checkpoint){.job = "other", .n_scores = N_SCORES}, "job");
    expect_refused(&(struct checkpoint){.job = "abc", .n_scores = 3}, "scores");
    assert_int_equal(file_read(&bytes, path, &err), 0);
    for (size_t n = 0; n < bytes.len; n += 97) {
        assert_int_equal(file_write(path, bytes.data, n, &err), 0);
        expect_refused(NULL, path);
    }
    assert_int_equal(unlink(path), 0);
    expect_refused(NULL, path);
    buf_release(&bytes);
    teardown(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(another_job_another_shape_or_a_cut_file_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
