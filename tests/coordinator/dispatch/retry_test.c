/* Budgets by kind of failure, waiting times, fingerprints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/dispatch/retry.h"

/* Attempts until the job is not ready again; *end: what happened then. */
static int
attempts(enum retry_kind kind, enum job_event *end)
{
    struct retry_history h = {0};

    for (int n = 1; n <= 100; n++) {
        const struct retry_decision d = retry_decide(kind, &h, (uint64_t)n);
        *end = d.event;
        if (d.event != EV_TRY_AGAIN && d.event != EV_HAND_BACK)
            return n;
        h.n[kind]++;
    }
    return 100;
}

static void
each_kind_has_its_own_budget(void **state)
{
    enum job_event end;

    (void)state;
    assert_int_equal(attempts(RETRY_ERROR, &end), 3);
    assert_int_equal(end, EV_GIVE_UP);
    assert_int_equal(attempts(RETRY_LOST, &end), 3);
    assert_int_equal(end, EV_QUARANTINE);
    assert_int_equal(attempts(RETRY_OOM, &end), 2);
    assert_int_equal(attempts(RETRY_TIMEOUT, &end), 2);
    assert_int_equal(attempts(RETRY_HOPELESS, &end), 1);
    assert_int_equal(end, EV_GIVE_UP);
    assert_int_equal(attempts(RETRY_STOPPED, &end), 100);
    assert_int_equal(end, EV_HAND_BACK);
}

static void
one_budget_does_not_use_up_another(void **state)
{
    const struct retry_history h = {.n = {[RETRY_LOST] = 2, [RETRY_ERROR] = 1}};

    (void)state;
    assert_int_equal(retry_decide(RETRY_ERROR, &h, 1).event, EV_TRY_AGAIN);
    assert_int_equal(retry_decide(RETRY_OOM, &h, 1).event, EV_TRY_AGAIN);
    assert_int_equal(retry_decide(RETRY_LOST, &h, 1).event, EV_QUARANTINE);
}

static void
a_larger_budget_for_lost_workers_is_for_nothing_else(void **state)
{
    const struct retry_history h = {.n = {[RETRY_LOST] = 40, [RETRY_ERROR] = 2},
                                    .max_lost = 41};

    (void)state;
    assert_int_equal(retry_decide(RETRY_LOST, &h, 1).event, EV_TRY_AGAIN);
    assert_true(retry_decide(RETRY_LOST, &h, 1).wait_ms <= 6000);
    assert_int_equal(retry_decide(RETRY_ERROR, &h, 1).event, EV_GIVE_UP);
}

static void
a_sweep_may_give_budgets_of_its_own(void **state)
{
    const struct retry_history more = {
        .n = {[RETRY_ERROR] = 4}, .own = {[RETRY_ERROR] = {true, 5}}, .same = 4};
    const struct retry_history none = {
        .own = {[RETRY_TIMEOUT] = {true, 0}, [RETRY_LOST] = {true, 1}},
        .n = {[RETRY_LOST] = 1},
        .max_lost = 41};

    (void)state;
    assert_int_equal(retry_decide(RETRY_ERROR, &more, 1).event, EV_TRY_AGAIN);
    assert_int_equal(retry_decide(RETRY_TIMEOUT, &none, 1).event, EV_GIVE_UP);
    assert_string_equal(retry_decide(RETRY_TIMEOUT, &none, 1).why, "no retry is left");
    assert_int_equal(retry_decide(RETRY_LOST, &none, 1).event, EV_QUARANTINE);
    assert_int_equal(retry_decide(RETRY_OOM, &none, 1).event, EV_TRY_AGAIN);
}

static void
outcomes_have_kinds(void **state)
{
    (void)state;
    assert_int_equal(retry_kind_of("sys", 0), RETRY_ERROR);
    assert_int_equal(retry_kind_of("bug", 0), RETRY_ERROR);
    assert_int_equal(retry_kind_of("numeric", 0), RETRY_HOPELESS);
    assert_int_equal(retry_kind_of("data", 0), RETRY_HOPELESS);
    assert_int_equal(retry_kind_of("usage", 0), RETRY_HOPELESS);
    assert_int_equal(retry_kind_of("refused", 0), RETRY_HOPELESS);
    assert_int_equal(retry_kind_of("oom", 0), RETRY_OOM);
    assert_int_equal(retry_kind_of("timeout", 0), RETRY_TIMEOUT);
    assert_int_equal(retry_kind_of("stopped", 0), RETRY_STOPPED);
    assert_int_equal(retry_kind_of("preempted", 0), RETRY_STOPPED);
    assert_int_equal(retry_kind_of("checkpoint", 0), RETRY_STOPPED);
    assert_int_equal(retry_kind_of("signal", 9), RETRY_LOST);
    assert_int_equal(retry_kind_of("signal", 11), RETRY_ERROR);
    assert_int_equal(retry_kind_of("something new", 0), RETRY_ERROR);
}

static void
waiting_grows_with_jitter_up_to_a_cap(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        const struct retry_history h0 = {0}, h1 = {.n = {[RETRY_ERROR] = 1}};
        const int64_t first = retry_decide(RETRY_ERROR, &h0, seed).wait_ms;
        const int64_t second = retry_decide(RETRY_ERROR, &h1, seed).wait_ms;
        assert_in_range(first, 4000, 6000);
        assert_in_range(second, 8000, 12000);
        assert_true(retry_decide(RETRY_LOST, &h0, seed).wait_ms <= 240);
    }
    assert_int_not_equal(
        retry_decide(RETRY_ERROR, &(struct retry_history){0}, 1).wait_ms,
        retry_decide(RETRY_ERROR, &(struct retry_history){0}, 2).wait_ms);
}

static void
the_same_failure_twice_is_not_tried_a_third_time(void **state)
{
    const struct retry_history h = {.n = {[RETRY_ERROR] = 1}, .same = 1};

    (void)state;
    assert_int_equal(retry_decide(RETRY_ERROR, &h, 1).event, EV_GIVE_UP);
}

static void
what_would_be_tried_again_is_held_in_a_paused_sweep(void **state)
{
    const struct retry_history h = {.hold = true}, spent = {.n = {9, 9}, .hold = true};
    const struct retry_history both = {.hold = true, .cancel_requested = true};

    (void)state;
    assert_int_equal(retry_decide(RETRY_STOPPED, &h, 1).event, EV_HOLD);
    assert_int_equal(retry_decide(RETRY_ERROR, &h, 1).event, EV_HOLD);
    assert_int_equal(retry_decide(RETRY_ERROR, &spent, 1).event, EV_GIVE_UP);
    assert_int_equal(retry_decide(RETRY_LOST, &spent, 1).event, EV_QUARANTINE);
    assert_int_equal(retry_decide(RETRY_STOPPED, &both, 1).event, EV_CANCEL);
}

static void
a_cancelled_job_is_not_tried_again(void **state)
{
    const struct retry_history h = {.cancel_requested = true};

    (void)state;
    assert_int_equal(retry_decide(RETRY_STOPPED, &h, 1).event, EV_CANCEL);
    assert_int_equal(retry_decide(RETRY_LOST, &h, 1).event, EV_CANCEL);
}

static void
same_print(const char *a, const char *b, int same)
{
    char x[RETRY_FINGERPRINT], y[RETRY_FINGERPRINT];

    retry_fingerprint(x, "sys", a);
    retry_fingerprint(y, "sys", b);
    assert_int_equal(strlen(x), 16);
    if ((strcmp(x, y) == 0) != same)
        fail_msg("`%s` and `%s`", a, b);
}

static void
fingerprints_leave_out_numbers_and_folders(void **state)
{
    char x[RETRY_FINGERPRINT], y[RETRY_FINGERPRINT];

    (void)state;
    same_print("step 812: out of space", "step 9: out of space", 1);
    same_print("open /a/b/file.npy: no", "open /other/file.npy: no", 1);
    same_print("open /a/b/x.npy: no", "open /a/b/y.npy: no", 0);
    same_print("at 0x7ffe12ab", "at 0x55d0", 1);
    same_print("loss", "lost", 0);
    same_print("", "", 1);
    same_print("ends with /", "ends with /", 1);
    retry_fingerprint(x, "sys", "text");
    retry_fingerprint(y, "oom", "text");
    assert_string_not_equal(x, y);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_own_budget),
        cmocka_unit_test(one_budget_does_not_use_up_another),
        cmocka_unit_test(a_larger_budget_for_lost_workers_is_for_nothing_else),
        cmocka_unit_test(a_sweep_may_give_budgets_of_its_own),
        cmocka_unit_test(outcomes_have_kinds),
        cmocka_unit_test(waiting_grows_with_jitter_up_to_a_cap),
        cmocka_unit_test(the_same_failure_twice_is_not_tried_a_third_time),
        cmocka_unit_test(what_would_be_tried_again_is_held_in_a_paused_sweep),
        cmocka_unit_test(a_cancelled_job_is_not_tried_again),
        cmocka_unit_test(fingerprints_leave_out_numbers_and_folders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
