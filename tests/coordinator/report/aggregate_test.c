/* aggregate_test.c - groups over seeds, means and spreads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/report/aggregate.h"
#include "coordinator/report/group.h"
#include "tests/coordinator/report/fixture.h"

enum { VALUES = 500 };

static void
assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

static void
mean_and_deviation_agree_with_two_passes(void **state)
{
    double values[VALUES], sum = 0, squares = 0;
    struct aggregate a = {0};
    uint32_t seed = 3;

    (void)state;
    for (int i = 0; i < VALUES; i++) {
        values[i] = 1e6 + fixture_random(&seed) % 1000 / 10.0;
        sum += values[i];
        aggregate_add(&a, values[i]);
    }
    for (int i = 0; i < VALUES; i++)
        squares += (values[i] - sum / VALUES) * (values[i] - sum / VALUES);
    assert_int_equal(a.n, VALUES);
    assert_near(a.mean, sum / VALUES);
    if (fabs(aggregate_sd(&a) - sqrt(squares / (VALUES - 1))) > 1e-7)
        fail_msg("sd %.17g", aggregate_sd(&a));
}

static void
equal_values_have_no_spread_and_one_value_has_no_deviation(void **state)
{
    struct aggregate a = {0};

    (void)state;
    aggregate_add(&a, 0.1);
    assert_true(isnan(aggregate_sd(&a)));
    for (int i = 0; i < 9; i++)
        aggregate_add(&a, 0.1);
    assert_true(aggregate_sd(&a) == 0);
    assert_true(a.mean == 0.1 && a.min == 0.1 && a.max == 0.1);
}

/* Groups of rows' cells over the parameter "seed"; takes the rows. */
static json_t *
group(json_t *rows)
{
    json_t *over = json_pack("[s]", "seed");
    json_t *groups = aggregate_cells(json_object_get(rows, "cells"), over);

    json_decref(over);
    json_decref(rows);
    return groups;
}

static void
cells_that_differ_in_the_seed_are_one_group(void **state)
{
    json_t *rows = fixture_empty();

    (void)state;
    fixture_add(rows, 5000, 4, 0, 70);
    fixture_add(rows, 5000, 1, 0, 60);
    fixture_add(rows, 5000, 4, 1, 74);
    json_t *groups = group(rows);
    const json_t *first = json_array_get(groups, 0);
    assert_int_equal(json_array_size(groups), 2);
    assert_int_equal(json_int(first, "n", 0), 2);
    assert_near(group_stat(first, "CA", "mean"), 72);
    assert_near(group_stat(first, "CA", "sd"), sqrt(8));
    assert_near(group_stat(first, "CA", "min"), 70);
    assert_near(group_stat(first, "CA", "max"), 74);
    assert_true(isnan(group_stat(json_array_get(groups, 1), "CA", "sd")));
    assert_null(json_object_get(json_object_get(first, "params"), "seed"));
    json_decref(groups);
}

static void
the_same_trial_is_counted_once(void **state)
{
    json_t *rows = fixture_empty();

    (void)state;
    fixture_add(rows, 0, 4, 0, 80);
    fixture_add(rows, 0, 1, 0, 80);
    json_t *groups = group(rows);
    assert_int_equal(json_array_size(groups), 1);
    assert_int_equal(json_int(json_array_get(groups, 0), "cells", 0), 1);
    json_decref(groups);
}

static void
an_unfinished_cell_counts_but_gives_no_values(void **state)
{
    json_t *rows = fixture_empty();

    (void)state;
    fixture_add(rows, 5000, 4, 0, 70);
    json_t *open = fixture_add(rows, 5000, 4, 1, 10);
    json_object_set_new(open, "state", json_string("running"));
    json_t *groups = group(rows);
    const json_t *g = json_array_get(groups, 0);
    assert_int_equal(json_int(g, "cells", 0), 2);
    assert_int_equal(json_int(g, "n", 0), 1);
    assert_false(group_is_complete(g));
    assert_near(group_stat(g, "CA", "mean"), 70);
    json_decref(groups);
}

static void
values_that_are_not_finite_numbers_are_left_out(void **state)
{
    json_t *rows = fixture_empty();

    (void)state;
    fixture_add(rows, 5000, 4, 0, 70);
    json_t *bad = fixture_add(rows, 5000, 4, 1, 0);
    json_t *record = json_object_get(json_object_get(bad, "metrics"), "CA");
    json_object_set_new(record, "value", json_string("NaN"));
    json_t *none = fixture_add(rows, 5000, 4, 2, 0);
    json_object_del(json_object_get(none, "metrics"), "CA");
    json_t *groups = group(rows);
    const json_t *g = json_array_get(groups, 0);
    assert_int_equal(json_int(g, "n", 0), 3);
    assert_near(group_stat(g, "CA", "n"), 1);
    assert_near(group_stat(g, "CA", "mean"), 70);
    json_decref(groups);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_deviation_agree_with_two_passes),
        cmocka_unit_test(equal_values_have_no_spread_and_one_value_has_no_deviation),
        cmocka_unit_test(cells_that_differ_in_the_seed_are_one_group),
        cmocka_unit_test(the_same_trial_is_counted_once),
        cmocka_unit_test(an_unfinished_cell_counts_but_gives_no_values),
        cmocka_unit_test(values_that_are_not_finite_numbers_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
