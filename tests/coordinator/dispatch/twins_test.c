/* Jobs that are done again, and the workers that they wait for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/dispatch/twins.h"
#include "tests/coordinator/dispatch/core_fixture.h"

/* Job 2 does job 1 again. */
static void
tell_twins(struct core *core, int64_t worker, const char *host)
{
    struct twin_pair pair = {.again = {.job = 2},
                             .first = {.job = 1, .worker = worker}};
    const struct twin_list list = {.items = &pair, .n = 1};

    snprintf(pair.first.host, sizeof pair.first.host, "%s", host);
    core_take_twins(core, &list);
}

/* A worker that has a slot and does not offer it now. */
static struct session *
busy(struct core *core, const char *host, const char *boot)
{
    struct session *s = hello_from(core, host, boot, 1, NULL, 0, 0);

    core_offer(core, s, 0);
    return s;
}

static void
a_job_is_done_again_by_another_worker(void **state)
{
    struct core *core = *state;

    hello(core, "a", 2, NULL, 0, 0);
    struct session *b = busy(core, "h", "b");
    tell_twins(core, 0, "");
    for (int64_t job = 1; job <= 3; job++)
        core_add_ready(core, job, 0, -job, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "lease 1/1>1001 lease 3/1>1001");
    core_offer(core, b, 1);
    core_tick(core, 2);
    assert_string_equal(actions(core), "lease 2/1>1002");
}

/* The first run is the one that is tried again. */
static void
a_first_run_that_is_tried_again_goes_elsewhere_too(void **state)
{
    struct core *core = *state;
    struct twin_pair pair = {.again = {.job = 2, .worker = 'a', .host = "h"},
                             .first = {.job = 1, .worker = 'b', .host = "h"}};
    const struct twin_list list = {.items = &pair, .n = 1};

    core_take_twins(core, &list);
    hello(core, "a", 1, NULL, 0, 0);
    struct session *b = busy(core, "h", "b");
    core_add_ready(core, 1, 1, 0, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "");
    core_offer(core, b, 1);
    core_tick(core, 2);
    assert_string_equal(actions(core), "lease 1/2>1002");
}

static void
another_machine_is_better_than_another_worker(void **state)
{
    struct core *core = *state;

    tell_twins(core, 'a', "h");
    hello(core, "b", 1, NULL, 0, 0); /* the same machine */
    struct session *c = busy(core, "other", "c");
    core_add_ready(core, 2, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "");
    core_offer(core, c, 1);
    core_tick(core, 2);
    assert_string_equal(actions(core), "lease 2/1>1002");
}

static void
a_job_is_not_kept_back_for_ever(void **state)
{
    struct core *core = *state;
    int64_t now = 1;

    tell_twins(core, 'a', "h");
    hello(core, "a", 1, NULL, 0, 0);
    busy(core, "h", "b");
    core_add_ready(core, 2, 0, 0, 0, 0, 0);
    for (; now < 1 + TWINS_WAIT_MS; now += LEASE_MS / 2) {
        core_heard(core, 1001, now);
        core_heard(core, 1002, now);
        core_tick(core, now);
        assert_string_equal(actions(core), "");
    }
    core_heard(core, 1002, now);
    core_tick(core, now);
    assert_string_equal(actions(core), "lease 2/1>1001");
}

static void
who_is_alone_does_a_job_again_at_once(void **state)
{
    struct core *core = *state;
    struct rules_class picky = {.id = 5, .labels = "rare"};
    const struct rules rules = {.classes = &picky, .n_classes = 1};

    core_set_rules(core, &rules, 0);
    tell_twins(core, 'a', "h");
    struct session *a = hello(core, "a", 1, NULL, 0, 0);
    snprintf(a->has.labels, sizeof a->has.labels, "rare");
    busy(core, "other", "b"); /* cannot do it */
    core_add_ready(core, 2, 0, 0, 5, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "lease 2/1>1001");
}

static void
who_is_left_alone_does_a_job_again_at_once(void **state)
{
    struct core *core = *state;

    tell_twins(core, 'a', "h");
    hello(core, "a", 1, NULL, 0, 0);
    struct session *b = busy(core, "h", "b");
    core_add_ready(core, 2, 0, 0, 0, 0, 0);
    core_tick(core, 1);
    assert_string_equal(actions(core), "");
    core_bye(core, b, NULL, 0, 2);
    core_tick(core, 3);
    assert_string_equal(actions(core), "gone b lease 2/1>1001");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CORE_TEST(a_job_is_done_again_by_another_worker),
        CORE_TEST(a_first_run_that_is_tried_again_goes_elsewhere_too),
        CORE_TEST(another_machine_is_better_than_another_worker),
        CORE_TEST(a_job_is_not_kept_back_for_ever),
        CORE_TEST(who_is_alone_does_a_job_again_at_once),
        CORE_TEST(who_is_left_alone_does_a_job_again_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
