/* tally_test.c - what counts as a right answer. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/pipeline/tally.h"

static void
predictions_are_counted_by_class_and_ties_go_to_the_first(void **state)
{
    const float logits[] = {0, 1, 2, /**/ 5, 5, 1, /**/ -3, -2, -1, /**/ 4, 1, 4};
    const int64_t y[] = {2, 1, 2, 0};
    struct tally t;
    struct err err;

    (void)state;
    tally_init(&t, 3);
    assert_true(tally_percent(&t) == 0);
    assert_int_equal(tally_add(&t, logits, y, 4, &err), 0);
    assert_int_equal(t.n, 4);
    assert_int_equal(t.correct, 3);
    assert_int_equal(t.class_n[1], 1);
    assert_int_equal(t.class_correct[1], 0);
    assert_int_equal(t.class_correct[2], 2);
    assert_true(tally_percent(&t) == 75);
    tally_release(&t);
}

static void
logits_that_are_not_finite_are_a_numeric_failure(void **state)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    const int64_t y[] = {0};
    struct tally t;
    struct err err;

    (void)state;
    tally_init(&t, 2);
    for (int i = 0; i < 3; i++) {
        const float logits[] = {1, bad[i]};
        assert_int_equal(tally_add(&t, logits, y, 1, &err), -1);
        assert_int_equal(err.kind, ERR_NUMERIC);
    }
    assert_int_equal(t.n, 0);
    tally_release(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_are_counted_by_class_and_ties_go_to_the_first),
        cmocka_unit_test(logits_that_are_not_finite_are_a_numeric_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
