/* schedule_test.c - the learning rate against methods.md 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/pipeline/schedule.h"

static void
expect_lr(const struct schedule *s, int64_t epoch, double lr)
{
    const double got = schedule_lr(s, epoch);

    if (got < lr * (1 - 1e-12) || got > lr * (1 + 1e-12))
        fail_msg("epoch %d: lr %g, not %g", (int)epoch, got, lr);
}

static void
the_published_milestones_fall_after_epochs_150_180_and_210(void **state)
{
    struct schedule s;
    struct err err;

    (void)state;
    assert_int_equal(schedule_init(&s, 240, 0.05, "62.5,75,87.5", &err), 0);
    expect_lr(&s, 1, 0.05);
    expect_lr(&s, 150, 0.05);
    expect_lr(&s, 151, 0.005);
    expect_lr(&s, 180, 0.005);
    expect_lr(&s, 181, 0.0005);
    expect_lr(&s, 210, 0.0005);
    expect_lr(&s, 211, 0.00005);
    expect_lr(&s, 240, 0.00005);
}

static void
tiny_imagenet_has_them_at_75_90_and_105_of_120(void **state)
{
    struct schedule s;
    struct err err;

    (void)state;
    assert_int_equal(schedule_init(&s, 120, 1, "62.5,75,87.5", &err), 0);
    expect_lr(&s, 75, 1);
    expect_lr(&s, 76, 0.1);
    expect_lr(&s, 91, 0.01);
    expect_lr(&s, 106, 0.001);
}

static void
a_short_run_keeps_the_shape(void **state)
{
    struct schedule s;
    struct err err;

    (void)state;
    assert_int_equal(schedule_init(&s, 4, 1, "62.5, 75,87.5", &err), 0);
    expect_lr(&s, 2, 1);
    expect_lr(&s, 3, 0.1);   /* 3 > 2.5 */
    expect_lr(&s, 4, 0.001); /* 4 > 3 and 4 > 3.5 */
}

static void
none_means_a_constant_rate(void **state)
{
    struct schedule s;
    struct err err;

    (void)state;
    assert_int_equal(schedule_init(&s, 150, 0.05, "none", &err), 0);
    expect_lr(&s, 150, 0.05);
}

static void
what_is_no_list_of_rising_shares_is_refused(void **state)
{
    const char *const wrong[] = {"",  "a",   "50,", "50;60", "60,50", "50,50",
                                 "0", "100", "-5",  "nan",   "62.5%"};
    struct schedule s;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(schedule_init(&s, 10, 1, wrong[i], &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.text, "milestone"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_milestones_fall_after_epochs_150_180_and_210),
        cmocka_unit_test(tiny_imagenet_has_them_at_75_90_and_105_of_120),
        cmocka_unit_test(a_short_run_keeps_the_shape),
        cmocka_unit_test(none_means_a_constant_rate),
        cmocka_unit_test(what_is_no_list_of_rising_shares_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
