/* profile_test.c - what threads are at adds up to the time that passed, and a net's rows
 * tell its images and operations. */
#include "tests/worker/engine/small_resnet.h"

#include <string.h>

#include "shared/base/clock.h"
#include "worker/engine/profile.h"

static const struct profile_tag outer = {.what = "outer"}, inner = {.what = "inner"};

static void
spin(double seconds)
{
    const double until = clock_mono_s() + seconds;

    while (clock_mono_s() < until)
        continue;
}

static const struct profile_row *
find(const struct profile_row *rows, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].tag.what != NULL && strcmp(rows[i].tag.what, what) == 0)
            return &rows[i];
    fail_msg("no row `%s`", what);
    return NULL;
}

static void
time_belongs_to_the_innermost_thing(void **state)
{
    size_t n;
    int64_t sum = 0;

    (void)state;
    profile_enter(0, &outer, 1); /* off: nothing */
    profile_leave(0);
    const double from = clock_mono_s();
    profile_start(1);
    profile_enter(0, &outer, 3);
    spin(0.002);
    profile_enter(0, &inner, 4);
    spin(0.004);
    profile_leave(0);
    profile_leave(0);
    profile_enter(0, &inner, 5);
    profile_leave(0);
    struct profile_row *rows = profile_stop(&n);
    const double passed = clock_mono_s() - from;
    assert_int_equal(n, 3);
    const struct profile_row *o = find(rows, n, "outer"), *i = find(rows, n, "inner");
    assert_true(o->ns >= 2000000 && i->ns >= 4000000);
    assert_int_equal(o->calls, 1);
    assert_int_equal(i->calls, 2);
    assert_int_equal(i->images, 9);
    for (size_t k = 0; k < n; k++)
        sum += rows[k].ns;
    assert_true((double)sum <= 1e9 * passed && (double)sum > 5.9e6);
    free(rows);
}

static void
spin_task(void *ctx, int64_t task, int thread)
{
    (void)ctx, (void)task, (void)thread;
    spin(0.002);
}

static void
helpers_are_at_what_their_caller_is_at(void **state)
{
    struct team *team = team_new(2);
    size_t n;

    (void)state;
    profile_start(2);
    profile_enter(0, &outer, 1);
    team_run(team, 6, spin_task, NULL);
    profile_leave(0);
    struct profile_row *rows = profile_stop(&n);
    assert_true(find(rows, n, "outer")->ns >= 12000000 * 9 / 10);
    assert_int_equal(find(rows, n, "outer")->images, 1);
    assert_non_null(find(rows, n, "waiting"));
    free(rows);
    team_free(team);
}

/* Operations of one pass over all convolutions and the classifier. */
static double
flops_of(const struct net *n, const struct profile_row *rows, size_t count,
         enum profile_pass pass)
{
    double flops = 0;

    for (size_t i = 0; i < count; i++) {
        struct profile_work work;
        if (rows[i].tag.pass == pass && rows[i].tag.node != NULL
            && profile_work(&work, n, &rows[i]))
            flops += work.flops;
    }
    return flops;
}

static void
a_net_is_counted_once_each_way(void **state)
{
    enum { BATCH = 19 };
    struct graph *g = small_resnet();
    struct team *team = team_new(3);
    const struct backend *backend;
    struct err err;
    size_t count;

    (void)state;
    assert_int_equal(backend_find(&backend, "auto", &err), 0);
    struct net *n = probe_net(g, backend, team, BATCH, true);
    double *x = probe_array(BATCH * SMALL_IMAGE, 1.0, 1);
    double *d = probe_array(BATCH * SMALL_CLASSES, 0.05, 2);
    float *xf = probe_float_array(x, BATCH * SMALL_IMAGE);
    float *df = probe_float_array(d, BATCH * SMALL_CLASSES);
    probe_fill(n);
    for (int mode = NET_TRAIN; mode <= NET_EVAL; mode++) {
        const bool params = mode == NET_TRAIN;
        profile_start(3);
        net_forward(n, xf, BATCH, mode, 0);
        net_backward(n, df, params ? NET_GRAD_PARAMS | NET_GRAD_INPUT : NET_GRAD_INPUT);
        struct profile_row *rows = profile_stop(&count);
        const double once = 2.0 * BATCH * (double)graph_macs(g);
        assert_true(flops_of(n, rows, count, PROFILE_FORWARD) == once);
        assert_true(flops_of(n, rows, count, PROFILE_BACKWARD) == once);
        assert_true(flops_of(n, rows, count, PROFILE_PARAMS) == (params ? once : 0));
        free(rows);
    }
    free(x);
    free(d);
    free(xf);
    free(df);
    net_free(n);
    team_free(team);
    graph_free(g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_belongs_to_the_innermost_thing),
        cmocka_unit_test(helpers_are_at_what_their_caller_is_at),
        cmocka_unit_test(a_net_is_counted_once_each_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
