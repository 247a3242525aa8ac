/* The end of a sweep: bounds by hand, what makes the range wide, how it is written. */
#include "coordinator/cli/eta.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Appends a stage; timed 0: nothing of it has finished. */
static void
add(json_t *outlook, const char *method, const char *stage, int waiting, int timed,
    double mean, double sd)
{
    json_t *row = json_pack("{s:s, s:s, s:i, s:i, s:[]}", "method", method, "stage",
                            stage, "waiting", waiting, "timed", timed, "sample");

    json_object_set_new(row, "mean", timed > 0 ? json_real(mean) : json_null());
    json_object_set_new(row, "sd", timed > 1 ? json_real(sd) : json_null());
    json_array_append_new(json_object_get(outlook, "stages"), row);
}

static json_t *
new_outlook(void)
{
    return json_pack("{s:[]}", "stages");
}

static void
near(double got, double want)
{
    if (fabs(got - want) > 1e-9 * fabs(want))
        fail_msg("%.12g is not %.12g", got, want);
}

static void
one_machine_does_all_the_work_there_is(void **state)
{
    json_t *o = new_outlook();

    (void)state;
    add(o, "a", "mask", 3, 100, 10, 0);
    add(o, "a", "finetune", 4, 100, 20, 0);
    const struct eta eta = eta_of(o, NULL, 1, NULL);
    assert_true(eta.known);
    near(eta.low_s, 110 * 0.95);
    near(eta.high_s, 110 * 1.05);
    json_decref(o);
}

static void
a_chain_is_not_shortened_by_more_machines(void **state)
{
    json_t *o = new_outlook();

    (void)state;
    add(o, "a", "mask", 3, 100, 10, 0);
    add(o, "a", "finetune", 4, 100, 20, 0);
    const struct eta many = eta_of(o, NULL, 1000, NULL), two = eta_of(o, NULL, 2, NULL);
    near(many.low_s, 30 * 0.95);
    near(two.low_s, 55 * 0.95);
    near(two.high_s, 55 * 1.05 + 0.5 * 30 * 1.05);
    json_decref(o);
}

static void
methods_run_beside_each_other(void **state)
{
    json_t *o = new_outlook();

    (void)state;
    add(o, "a", "mask", 1, 100, 10, 0);
    add(o, "b", "train", 1, 100, 15, 0);
    near(eta_of(o, NULL, 1000, NULL).low_s, 15 * 0.95);
    json_decref(o);
}

static void
running_jobs_know_best(void **state)
{
    json_t *o = new_outlook();
    json_t *running =
        json_pack("[{s:s, s:f}, {s:s, s:f}]", "stage", "mask", "seconds_left", 100.0,
                  "stage", "mask", "seconds_left", 40.0);

    (void)state;
    add(o, "a", "mask", 0, 0, 0, 0);
    const struct eta eta = eta_of(o, running, 2, NULL);
    assert_true(eta.known);
    near(eta.low_s, 100 * 0.9);
    near(eta.high_s, 140 * 1.1 / 2 + 0.5 * 100 * 1.1);
    json_decref(running);
    json_decref(o);
}

static void
the_range_is_wider_the_less_is_known(void **state)
{
    double wide[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        static const int timed[] = {1, 4, 100};
        json_t *o = new_outlook();
        add(o, "a", "mask", 20, timed[i], 10, 3);
        const struct eta eta = eta_of(o, NULL, 1, NULL);
        wide[i] = eta.high_s - eta.low_s;
        json_decref(o);
    }
    assert_true(wide[0] > 1.3 * wide[1] && wide[1] > 1.3 * wide[2]);
}

static void
without_a_time_or_a_worker_nothing_is_known(void **state)
{
    json_t *o = new_outlook();

    (void)state;
    add(o, "a", "mask", 3, 5, 10, 1);
    assert_true(eta_of(o, NULL, 1, NULL).known);
    assert_false(eta_of(o, NULL, 0, NULL).known);
    add(o, "a", "finetune", 1, 0, 0, 0);
    assert_false(eta_of(o, NULL, 1, NULL).known);
    json_decref(o);
}

/* Finished jobs elsewhere tell the speed by way of db_known's means. */
static void
stages_that_ran_in_other_sweeps_are_estimated(void **state)
{
    const struct catalog none = {0};
    json_t *known = json_pack("{s:{s:f}}", "seconds", "a/mask", 30.0);
    struct estimate e = {.catalog = &none, .known = known};
    json_t *o = new_outlook();

    (void)state;
    add(o, "a", "mask", 2, 0, 0, 0);
    json_array_append_new(
        json_object_get(json_array_get(json_object_get(o, "stages"), 0), "sample"),
        json_pack("{s:s, s:s, s:{}}", "method", "a", "stage", "mask", "params"));
    const struct eta eta = eta_of(o, NULL, 1, &e);
    assert_true(eta.known);
    assert_true(eta.low_s < 60 && eta.high_s > 60 && eta.low_s > 20);
    estimate_release(&e);
    json_decref(known);
    json_decref(o);
}

static void
written(double low, double high, const char *want)
{
    const struct eta eta = {true, low, high};
    struct buf out = {0};

    eta_put(&out, &eta);
    assert_string_equal(buf_str(&out), want);
    buf_release(&out);
}

static void
ranges_are_written_in_one_unit(void **state)
{
    (void)state;
    written(3.2, 7.9, "3 to 8 s");
    written(0, 0, "up to 1 s");
    written(31, 58, "30 to 60 s");
    written(30, 200, "up to 4 min");
    written(190, 290, "3 to 5 min");
    written(241, 299, "about 5 min");
    written(2.6 * 3600, 3.9 * 3600, "2.5 to 4 h");
    written(30.0 * 3600, 40.2 * 3600, "30 to 41 h");
    written(5.5 * 86400, 9.1 * 86400, "5 to 10 days");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_machine_does_all_the_work_there_is),
        cmocka_unit_test(a_chain_is_not_shortened_by_more_machines),
        cmocka_unit_test(methods_run_beside_each_other),
        cmocka_unit_test(running_jobs_know_best),
        cmocka_unit_test(the_range_is_wider_the_less_is_known),
        cmocka_unit_test(without_a_time_or_a_worker_nothing_is_known),
        cmocka_unit_test(stages_that_ran_in_other_sweeps_are_estimated),
        cmocka_unit_test(ranges_are_written_in_one_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
