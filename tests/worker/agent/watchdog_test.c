/* Attempts that take too long or get nowhere, and what the kernel says about memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "worker/agent/memory.h"
#include "worker/agent/watchdog.h"

static void
without_limits_an_attempt_runs_for_ever(void **state)
{
    struct watchdog w = {0};

    (void)state;
    watchdog_start(&w, 5);
    assert_int_equal(watchdog_look(&w, INT64_C(1) << 50), WATCHDOG_FINE);
}

static void
the_time_counts_from_the_start_whatever_happens(void **state)
{
    struct watchdog w = {.timeout_s = 10};

    (void)state;
    watchdog_start(&w, 1000);
    watchdog_progress(&w, 1, 7, 10000);
    assert_int_equal(watchdog_look(&w, 10999), WATCHDOG_FINE);
    assert_int_equal(watchdog_look(&w, 11000), WATCHDOG_TIMEOUT);
}

static void
the_same_place_again_is_no_progress(void **state)
{
    struct watchdog w = {.stall_s = 10};

    (void)state;
    watchdog_start(&w, 0);
    watchdog_progress(&w, 1, 7, 5000);
    watchdog_progress(&w, 1, 7, 14000);
    assert_int_equal(watchdog_look(&w, 14999), WATCHDOG_FINE);
    assert_int_equal(watchdog_look(&w, 15000), WATCHDOG_STALLED);
    watchdog_progress(&w, 1, 8, 15000);
    assert_int_equal(watchdog_look(&w, 15000), WATCHDOG_FINE);
    watchdog_moved(&w, 20000); /* a checkpoint, a metric */
    assert_int_equal(watchdog_look(&w, 29999), WATCHDOG_FINE);
    assert_int_equal(watchdog_look(&w, 30000), WATCHDOG_STALLED);
}

static void
the_machine_has_memory(void **state)
{
    (void)state;
    assert_true(memory_bytes() > 1 << 20);
    assert_true(memory_kills() >= -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limits_an_attempt_runs_for_ever),
        cmocka_unit_test(the_time_counts_from_the_start_whatever_happens),
        cmocka_unit_test(the_same_place_again_is_no_progress),
        cmocka_unit_test(the_machine_has_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
