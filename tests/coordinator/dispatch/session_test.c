/* How often the two sides of a session speak. */
#include "coordinator/dispatch/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void
a_small_fleet_beats_as_it_is_configured(void **state)
{
    const size_t sizes[] = {1, 20, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct session_pace pace = session_pace(sizes[i], 500, 3000);
        assert_int_equal(pace.beat_ms, 500);
        assert_int_equal(pace.word_ms, 500);
    }
}

static void
a_large_fleet_beats_so_often_in_all(void **state)
{
    const struct session_pace pace = session_pace(10000, 500, 60000);

    (void)state;
    assert_int_equal(pace.beat_ms, 20000);
    assert_int_equal(pace.word_ms, 200000);
}

/* Whatever the fleet, a beat may be late by 5 s, or by two thirds of a short lease. */
static void
a_lease_outlives_a_late_beat(void **state)
{
    (void)state;
    for (size_t n = 1; n < 100000; n += 37) {
        assert_true(session_pace(n, 500, 3000).beat_ms <= 1000);
        assert_true(session_pace(n, 500, 20000).beat_ms <= 15000);
    }
    assert_int_equal(session_pace(100000, 500, 20000).beat_ms, 15000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_fleet_beats_as_it_is_configured),
        cmocka_unit_test(a_large_fleet_beats_so_often_in_all),
        cmocka_unit_test(a_lease_outlives_a_late_beat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
