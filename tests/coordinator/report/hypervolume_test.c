/* hypervolume_test.c - areas that can be worked out by hand, and the bootstrap. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/report/hypervolume.h"

static const struct hypervolume_reference thousand = {1000, 0, METRIC_MAX};

static void
one_point_is_a_rectangle_in_decades(void **state)
{
    const double x[] = {10}, y[] = {80};

    (void)state;
    assert_true(fabs(hypervolume_of(x, y, 1, thousand) - 160) < 1e-9);
}

static void
dominated_equal_and_far_points_add_nothing(void **state)
{
    const double x[] = {100, 10, 100, 5000, 10}, y[] = {90, 80, 70, 99, 80};

    (void)state;
    assert_true(fabs(hypervolume_of(x, y, 5, thousand) - 170) < 1e-9);
    assert_true(hypervolume_of(x, y, 0, thousand) == 0);
}

static void
the_order_of_points_does_not_matter(void **state)
{
    const double x[] = {10, 100, 300}, y[] = {50, 60, 75};
    const double rx[] = {300, 10, 100}, ry[] = {75, 50, 60};

    (void)state;
    assert_true(hypervolume_of(x, y, 3, thousand)
                == hypervolume_of(rx, ry, 3, thousand));
}

static void
of_errors_less_is_better(void **state)
{
    const struct hypervolume_reference errors = {1000, 100, METRIC_MIN};
    const double x[] = {10, 100}, y[] = {30, 40};

    (void)state;
    assert_true(fabs(hypervolume_of(x, y, 2, errors) - 140) < 1e-9);
}

static void
the_interval_holds_the_value_and_is_the_same_every_time(void **state)
{
    const double x[] = {10, 10, 10, 100, 100, 100}, y[] = {70, 72, 71, 80, 83, 81};
    const struct hypervolume_setting settings[] = {{x, y, 3}, {x + 3, y + 3, 3}};
    const double value = hypervolume_of_means(settings, 2, thousand);
    double lo, hi, again_lo, again_hi;

    (void)state;
    hypervolume_interval(&lo, &hi, settings, 2, thousand);
    hypervolume_interval(&again_lo, &again_hi, settings, 2, thousand);
    assert_true(lo < value && value < hi);
    assert_true(lo >= 70 * 2 + 10 && hi <= 72 * 2 + 13);
    assert_true(lo == again_lo && hi == again_hi);
}

static void
one_seed_has_no_interval(void **state)
{
    const double x[] = {10}, y[] = {70};
    const struct hypervolume_setting setting = {x, y, 1};
    double lo = 0, hi = 0;

    (void)state;
    hypervolume_interval(&lo, &hi, &setting, 1, thousand);
    assert_true(isnan(lo) && isnan(hi));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_point_is_a_rectangle_in_decades),
        cmocka_unit_test(dominated_equal_and_far_points_add_nothing),
        cmocka_unit_test(the_order_of_points_does_not_matter),
        cmocka_unit_test(of_errors_less_is_better),
        cmocka_unit_test(the_interval_holds_the_value_and_is_the_same_every_time),
        cmocka_unit_test(one_seed_has_no_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
