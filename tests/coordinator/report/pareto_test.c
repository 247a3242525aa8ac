/* pareto_test.c - the front against an independent search and its properties. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/report/pareto.h"
#include "tests/coordinator/report/fixture.h"

enum { POINTS = 60, ROUNDS = 200 };

static const enum metric_goal min_max[] = {METRIC_MIN, METRIC_MAX, METRIC_MAX};

/* Few distinct values, so that ties and duplicates are frequent. */
static void
fill(double *values, size_t n, uint32_t *state)
{
    for (size_t i = 0; i < n; i++)
        values[i] = fixture_random(state) % 9;
}

/* For x (less is better) and y (more is better): a point is on the front when its y is
 * the best of its own x and better than any y at a smaller x. */
static bool
expected(const double *values, size_t i)
{
    for (size_t j = 0; j < POINTS; j++) {
        const double x = values[2 * j], y = values[2 * j + 1];
        if (x == values[2 * i] ? y > values[2 * i + 1]
                               : x < values[2 * i] && y >= values[2 * i + 1])
            return false;
    }
    return true;
}

static void
two_metrics_agree_with_a_search_by_x(void **state)
{
    double values[2 * POINTS];
    bool front[POINTS];
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        fill(values, 2 * POINTS, &seed);
        pareto_front(front, values, POINTS, 2, min_max);
        for (size_t i = 0; i < POINTS; i++)
            assert_int_equal(front[i], expected(values, i));
    }
}

/* a is at least as good as b everywhere (min, max, max). */
static bool
covers(const double *a, const double *b)
{
    return a[0] <= b[0] && a[1] >= b[1] && a[2] >= b[2];
}

static bool
equal(const double *a, const double *b)
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

static void
every_point_off_the_front_is_dominated_by_one_on_it(void **state)
{
    double values[3 * POINTS];
    bool front[POINTS];
    uint32_t seed = 2;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        fill(values, 3 * POINTS, &seed);
        pareto_front(front, values, POINTS, 3, min_max);
        for (size_t i = 0; i < POINTS; i++) {
            bool dominated = false;
            for (size_t j = 0; j < POINTS; j++) {
                const double *a = values + 3 * j, *b = values + 3 * i;
                dominated = dominated || (front[j] && covers(a, b) && !equal(a, b));
            }
            assert_int_equal(dominated, !front[i]);
        }
    }
}

static void
points_that_are_equal_are_all_kept(void **state)
{
    const double values[] = {5, 70, 5, 70, 5, 69, 10, 70, 10, 80, 10, 80};
    bool front[6];

    (void)state;
    pareto_front(front, values, 6, 2, min_max);
    const bool want[] = {true, true, false, false, true, true};
    assert_memory_equal(front, want, sizeof want);
}

static void
a_missing_value_is_never_on_the_front_and_beats_nobody(void **state)
{
    const double values[] = {1, NAN, NAN, 99, 5, 70};
    bool front[3];

    (void)state;
    pareto_front(front, values, 3, 2, min_max);
    assert_false(front[0]);
    assert_false(front[1]);
    assert_true(front[2]);
}

static void
less_can_be_better_in_both_metrics(void **state)
{
    const enum metric_goal goals[] = {METRIC_MIN, METRIC_MIN};
    const double values[] = {5, 30, 10, 20, 10, 30, 20, 20};
    bool front[4];

    (void)state;
    pareto_front(front, values, 4, 2, goals);
    const bool want[] = {true, true, false, false};
    assert_memory_equal(front, want, sizeof want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_metrics_agree_with_a_search_by_x),
        cmocka_unit_test(every_point_off_the_front_is_dominated_by_one_on_it),
        cmocka_unit_test(points_that_are_equal_are_all_kept),
        cmocka_unit_test(a_missing_value_is_never_on_the_front_and_beats_nobody),
        cmocka_unit_test(less_can_be_better_in_both_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
