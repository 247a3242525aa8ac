/* When a sweep will be done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/web/eta.h"
#include "tests/support/near.h"

static struct eta
eta_from(const char *text)
{
    json_t *doc = json_loads(text, 0, NULL);

    assert_non_null(doc);
    const struct eta eta = eta_of(doc);
    json_decref(doc);
    return eta;
}

static void
one_slot_does_all_the_work(void **state)
{
    const struct eta eta = eta_from(
        "{\"slots\": 1, \"stages\": ["
        "{\"states\": {\"ready\": 2, \"succeeded\": 5}, \"mean_s\": 10, \"n_ok\": 5},"
        "{\"states\": {\"blocked\": 3, \"leased\": 1}, \"mean_s\": 100, \"n_ok\": 1}]}");

    (void)state;
    assert_true(eta.known);
    assert_int_equal(eta.left, 6);
    assert_near_number(eta.lo, 420, 1e-12);
    assert_near_number(eta.hi, 420, 1e-12);
}

static void
many_slots_cannot_beat_the_chain(void **state)
{
    const struct eta eta =
        eta_from("{\"slots\": 1000, \"stages\": ["
                 "{\"states\": {\"ready\": 2}, \"mean_s\": 10, \"n_ok\": 5},"
                 "{\"states\": {\"blocked\": 2}, \"mean_s\": 100, \"n_ok\": 1}]}");

    (void)state;
    assert_near_number(eta.lo, 110, 1e-12);
    assert_true(eta.hi >= eta.lo && eta.hi < 111);
}

static void
a_stage_that_never_ran_counts_as_the_others(void **state)
{
    const struct eta eta =
        eta_from("{\"slots\": 1, \"stages\": ["
                 "{\"states\": {\"succeeded\": 2}, \"mean_s\": 30, \"n_ok\": 2},"
                 "{\"states\": {\"blocked\": 2}, \"mean_s\": null, \"n_ok\": 0}]}");

    (void)state;
    assert_near_number(eta.lo, 60, 1e-12);
}

static void
without_workers_or_history_nothing_is_known(void **state)
{
    (void)state;
    assert_false(eta_from("{\"slots\": 0, \"stages\": [{\"states\": {\"ready\": 1},"
                          "\"mean_s\": 5, \"n_ok\": 1}]}")
                     .known);
    assert_false(eta_from("{\"slots\": 4, \"stages\": [{\"states\": {\"ready\": 1},"
                          "\"mean_s\": null, \"n_ok\": 0}]}")
                     .known);
    assert_int_equal(eta_from("{\"slots\": 4, \"stages\": []}").left, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_slot_does_all_the_work),
        cmocka_unit_test(many_slots_cannot_beat_the_chain),
        cmocka_unit_test(a_stage_that_never_ran_counts_as_the_others),
        cmocka_unit_test(without_workers_or_history_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
