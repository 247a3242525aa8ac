/* The plan: counts with and without sharing, what is done, the time that is left. */
#include "coordinator/cli/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/coordinator/sweep/fixture.h"

static const char text[] =
    "name: t\ntitle: A\nfixed: {method: rlnet, dataset: fashion-mnist}\n"
    "grid: {relu_budget: [50k, 20k, 10k], temperature: [4, 1]}\n"
    "include: [{relu_budget: all}]\n";

static struct sweep *s;
static struct dag *d;

static int
setup(void **state)
{
    fixture_setup(state);
    s = fixture_sweep(text, "");
    d = dag_build(s);
    dag_name_jobs(d);
    return 0;
}

static int
teardown(void **state)
{
    dag_free(d);
    sweep_free(s);
    return fixture_teardown(state);
}

static const json_t *
stage(const json_t *plan, const char *name)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(plan, "stages"), i, row)
    {
        if (strcmp(json_str(row, "stage", ""), name) == 0)
            return row;
    }
    fail_msg("no stage %s", name);
    return NULL;
}

static void
sharing_is_counted_by_stage(void **state)
{
    json_t *plan = plan_build(s, d, &fixture_catalog, NULL, false);

    (void)state;
    assert_int_equal(json_int(plan, "cells", 0), 7);
    assert_int_equal(json_int(plan, "jobs", 0), 1 + 6 + 6 + 7);
    assert_int_equal(json_int(plan, "jobs_without_sharing", 0), 7 + 6 + 6 + 7);
    assert_int_equal(json_int(stage(plan, "teacher"), "jobs", 0), 1);
    assert_int_equal(json_int(stage(plan, "teacher"), "jobs_without_sharing", 0), 7);
    assert_int_equal(json_int(stage(plan, "mask"), "jobs_without_sharing", 0), 6);
    assert_null(json_object_get(plan, "points"));
    json_decref(plan);
}

static void
without_a_database_the_rest_is_null(void **state)
{
    json_t *plan = plan_build(s, d, &fixture_catalog, NULL, false);

    (void)state;
    assert_true(json_is_null(json_object_get(plan, "done")));
    assert_true(json_is_null(json_object_get(plan, "seconds_left")));
    assert_true(json_is_null(json_object_get(stage(plan, "mask"), "done")));
    json_decref(plan);
}

static void
finished_jobs_and_their_times_are_used(void **state)
{
    json_t *known =
        json_pack("{s:s, s:s, s:s, s:{s:f, s:f, s:f, s:f}}", dag_digest(d, 0),
                  "succeeded", dag_digest(d, 1), "succeeded", dag_digest(d, 2),
                  "failed", "seconds", "rlnet/teacher", 100.0, "rlnet/mask", 10.0,
                  "rlnet/finetune", 20.0, "rlnet/evaluate", 1.0);
    json_t *plan = plan_build(s, d, &fixture_catalog, known, false);

    (void)state;
    assert_int_equal(json_int(plan, "done", 0), 2);
    assert_int_equal(json_int(plan, "failed", 0), 1);
    assert_int_equal(json_int(stage(plan, "teacher"), "done", 0), 1);
    assert_true(json_num(plan, "seconds_left", 0) == 5 * 10.0 + 6 * 20.0 + 7 * 1.0);
    json_decref(plan);
    json_object_del(json_object_get(known, "seconds"), "rlnet/mask");
    plan = plan_build(s, d, &fixture_catalog, known, false);
    assert_true(json_is_null(json_object_get(plan, "seconds_left")));
    json_decref(plan);
    json_decref(known);
}

static void
a_finished_sweep_has_nothing_left(void **state)
{
    json_t *known = json_object();

    (void)state;
    for (size_t i = 0; i < d->n_jobs; i++)
        json_object_set_new(known, dag_digest(d, i), json_string("succeeded"));
    json_t *plan = plan_build(s, d, &fixture_catalog, known, false);
    assert_int_equal(json_int(plan, "done", 0), d->n_jobs);
    assert_true(json_is_real(json_object_get(plan, "seconds_left")));
    assert_true(json_num(plan, "seconds_left", 1) == 0);
    json_decref(plan);
    json_decref(known);
}

static void
points_are_listed_when_asked_for(void **state)
{
    json_t *plan = plan_build(s, d, &fixture_catalog, NULL, true);
    const json_t *points = json_object_get(plan, "points");

    (void)state;
    assert_int_equal(json_array_size(points), 7);
    assert_string_equal(json_str(json_array_get(points, 6), "relu_budget", ""), "all");
    json_decref(plan);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sharing_is_counted_by_stage),
        cmocka_unit_test(without_a_database_the_rest_is_null),
        cmocka_unit_test(finished_jobs_and_their_times_are_used),
        cmocka_unit_test(a_finished_sweep_has_nothing_left),
        cmocka_unit_test(points_are_listed_when_asked_for),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
