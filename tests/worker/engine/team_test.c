/* team_test.c - every task runs once, on a thread of the team, for any team. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/engine/team.h"

struct tally {
    atomic_int runs[100];
    atomic_int strangers; /* tasks on a thread that is not of the team */
    int threads;
};

static void
count_run(void *ctx, int64_t task, int thread)
{
    struct tally *t = ctx;

    atomic_fetch_add(&t->runs[task], 1);
    if (thread < 0 || thread >= t->threads)
        atomic_fetch_add(&t->strangers, 1);
}

static void
every_task_runs_exactly_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 5; threads++) {
        struct team *team = team_new(threads);
        struct tally t = {.threads = threads};

        assert_int_equal(team_threads(team), threads);
        for (int round = 0; round < 200; round++)
            team_run(team, round % 101, count_run, &t);
        for (int task = 0; task < 100; task++) {
            int want = 0;
            for (int round = 0; round < 200; round++)
                want += round % 101 > task;
            assert_int_equal(atomic_load(&t.runs[task]), want);
        }
        assert_int_equal(atomic_load(&t.strangers), 0);
        team_free(team);
    }
}

/* Threads that took a task of the last round. */
struct seen {
    atomic_int threads[5];
    atomic_int tasks;
};

static void
note_thread(void *ctx, int64_t task, int thread)
{
    struct seen *s = ctx;

    (void)task;
    atomic_fetch_add(&s->tasks, 1);
    atomic_store(&s->threads[thread], 1);
}

static void
a_limit_holds_from_the_next_run_and_is_cut_to_the_team(void **state)
{
    static const int32_t limits[] = {-3, 0, 1, 2, 3, 4, 99};
    _Atomic int32_t limit;
    struct team *team = team_new(4);

    (void)state;
    team_limit(team, &limit);
    for (int i = 0; i < 200; i++) {
        struct seen s = {0};
        const int32_t l = limits[i % 7];
        atomic_store(&limit, l);
        team_run(team, 64, note_thread, &s);
        assert_int_equal(atomic_load(&s.tasks), 64);
        for (int thread = l < 1 ? 1 : l; thread < 4; thread++)
            assert_int_equal(atomic_load(&s.threads[thread]), 0);
    }
    team_free(team);
}

static void
add_task(void *ctx, int64_t task, int thread)
{
    (void)thread;
    ((int64_t *)ctx)[task] += task;
}

static void
work_is_visible_when_run_returns(void **state)
{
    struct team *team = team_new(4);
    int64_t sums[64] = {0};
    (void)state;

    for (int round = 0; round < 500; round++)
        team_run(team, 64, add_task, sums);
    for (int64_t i = 0; i < 64; i++)
        assert_int_equal(sums[i], 500 * i);
    team_free(team);
}

static void
a_team_without_work_ends(void **state)
{
    (void)state;
    team_free(team_new(3));
    team_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_exactly_once),
        cmocka_unit_test(a_limit_holds_from_the_next_run_and_is_cut_to_the_team),
        cmocka_unit_test(work_is_visible_when_run_returns),
        cmocka_unit_test(a_team_without_work_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
