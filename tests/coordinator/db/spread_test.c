/* The order in which a range is seen: coarse first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "coordinator/db/spread.h"

static void
ends_come_first_and_then_the_middles(void **state)
{
    static const int64_t nine[] = {0, 5, 3, 6, 2, 7, 4, 8, 1};
    static const int64_t two[] = {0, 1};
    int64_t turn[9];

    (void)state;
    spread_turns(turn, 9);
    assert_memory_equal(turn, nine, sizeof nine);
    spread_turns(turn, 2);
    assert_memory_equal(turn, two, sizeof two);
    turn[0] = 7;
    spread_turns(turn, 1);
    assert_int_equal(turn[0], 0);
}

static void
every_place_has_one_turn(void **state)
{
    int64_t turn[100];

    (void)state;
    for (size_t n = 0; n <= 100; n++) {
        int seen[100] = {0};
        spread_turns(turn, n);
        for (size_t i = 0; i < n; i++) {
            assert_in_range(turn[i], 0, n - 1);
            assert_int_equal(seen[turn[i]]++, 0);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_come_first_and_then_the_middles),
        cmocka_unit_test(every_place_has_one_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
