/* scale_test.c - axes and their ticks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/report/scale.h"
#include "tests/coordinator/report/fixture.h"

static void
assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 * fmax(1, fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

static void
expect_ticks(const struct scale *s, const double *want, size_t n)
{
    assert_int_equal(s->n_ticks, n);
    for (size_t i = 0; i < n; i++)
        assert_near(s->ticks[i], want[i]);
}

static void
a_logarithmic_axis_ticks_at_1_2_5(void **state)
{
    const double want[] = {5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5};
    struct scale s;

    (void)state;
    scale_log(&s, 5000, 557056, 0.05);
    expect_ticks(&s, want, 7);
    scale_release(&s);
}

static void
less_than_half_a_decade_ticks_finer_and_many_decades_coarser(void **state)
{
    const double fine[] = {5e4, 6e4, 7e4, 8e4}, coarse[] = {1, 10, 1e2, 1e3, 1e4, 1e5};
    struct scale s;

    (void)state;
    scale_log(&s, 5e4, 8e4, 0.01);
    expect_ticks(&s, fine, 4);
    scale_release(&s);
    scale_log(&s, 1, 1e5, 0);
    expect_ticks(&s, coarse, 6);
    scale_release(&s);
}

static void
accuracies_stay_within_0_and_100(void **state)
{
    struct scale s;

    (void)state;
    scale_linear(&s, 1, 99.5, 0.1, 6, 0, 100);
    assert_near(s.lo, 0);
    assert_near(s.hi, 100);
    const double want[] = {0, 20, 40, 60, 80, 100};
    expect_ticks(&s, want, 6);
    scale_release(&s);
}

static void
any_range_has_increasing_ticks_within_it(void **state)
{
    uint32_t seed = 5;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        const double a = fixture_random(&seed) % 20000 / 100.0 - 100;
        const double b = a + fixture_random(&seed) % 1000 / pow(10, round % 6);
        struct scale s;
        scale_linear(&s, a, b, 0.09, 8, -INFINITY, INFINITY);
        assert_true(s.lo < s.hi && s.lo <= a && s.hi >= b);
        assert_in_range(s.n_ticks, 2, 10);
        for (size_t i = 0; i < s.n_ticks; i++) {
            assert_true(s.ticks[i] >= s.lo - 1e-6 && s.ticks[i] <= s.hi + 1e-6);
            assert_true(i == 0 || s.ticks[i] > s.ticks[i - 1]);
        }
        scale_release(&s);
    }
}

static void
positions_follow_the_axis(void **state)
{
    struct scale s;

    (void)state;
    scale_log(&s, 100, 10000, 0);
    s.from = 0;
    s.to = 200;
    assert_near(scale_at(&s, 100), 0);
    assert_near(scale_at(&s, 1000), 100);
    assert_near(scale_at(&s, 10000), 200);
    scale_release(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_logarithmic_axis_ticks_at_1_2_5),
        cmocka_unit_test(less_than_half_a_decade_ticks_finer_and_many_decades_coarser),
        cmocka_unit_test(accuracies_stay_within_0_and_100),
        cmocka_unit_test(any_range_has_increasing_ticks_within_it),
        cmocka_unit_test(positions_follow_the_axis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
