/* build_test.c - the report document. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/report/group.h"
#include "coordinator/report/report.h"
#include "tests/coordinator/report/fixture.h"

static const json_t *
group_at(const json_t *report, size_t i)
{
    return json_array_get(json_object_get(report, "groups"), i);
}

static void
says(const json_t *text, const char *part)
{
    if (strstr(json_string_value(text), part) == NULL)
        fail_msg("`%s` does not say `%s`", json_string_value(text), part);
}

/* True when some note of the report has these words. */
static bool
has_note(const json_t *report, const char *part)
{
    json_t *note;
    size_t i;

    json_array_foreach(json_object_get(report, "notes"), i, note)
    {
        if (strstr(json_string_value(note), part) != NULL)
            return true;
    }
    return false;
}

static void
re_runs_are_told_and_those_that_differ_by_name(void **state)
{
    json_t *rows = fixture_rows();
    json_t *same =
        json_pack("{s:i, s:i, s:s, s:b, s:i, s:i, s:[s,s], s:[s,s], s:n}", "job", 3,
                  "repeat", 21, "stage", "mask", "done", 1, "metrics", 4, "equal", 4,
                  "workers", "w1", "w1", "hosts", "h", "h", "worst");
    json_t *other =
        json_pack("{s:i, s:i, s:s, s:b, s:i, s:i, s:[s,s], s:[s,s], s:{s:s, s:[f,f]}}",
                  "job", 4, "repeat", 22, "stage", "evaluate", "done", 1, "metrics", 40,
                  "equal", 38, "workers", "w1", "w2", "hosts", "h", "g", "worst",
                  "name", "AdvA", "values", 51.25, 51.5);
    json_t *open = json_pack("{s:i, s:i, s:s, s:b}", "job", 5, "repeat", 23, "stage",
                             "mask", "done", 0);

    (void)state;
    json_object_set_new(rows, "verified", json_pack("[o, o, o]", same, other, open));
    json_t *report = fixture_report(rows);
    assert_true(has_note(report,
                         "3 jobs, 2 of them finished both times, 1 with the same "
                         "bits in every final metric; 1 on another worker, 1 on "
                         "another machine. Done again by the worker of the first "
                         "run, because no other that could do it came in time: 1."));
    assert_true(has_note(report,
                         "Job 4 (evaluate) and its re-run 22 differ in 2 of 40 "
                         "final metrics, most in AdvA: 51.25 and 51.5 (on h and "
                         "g)."));
    assert_false(has_note(report, "Job 3"));
    json_decref(report);
}

static void
re_runs_with_other_kernels_need_not_have_the_same_bits(void **state)
{
    static const struct {
        int foreign, near;
        bool differs;
    } cases[] = {{1, 40, false}, {1, 39, true}, {0, 40, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *rows = fixture_rows();
        json_object_set_new(
            rows, "verified",
            json_pack(
                "[{s:i, s:i, s:s, s:b, s:i, s:i, s:i, s:b, s:f, s:[s,s], s:[s,s]}]",
                "job", 4, "repeat", 22, "stage", "evaluate", "done", 1, "metrics", 40,
                "equal", 38, "near", cases[i].near, "foreign", cases[i].foreign,
                "tolerance", 0.01, "workers", "w1", "w2", "hosts", "h", "g"));
        json_t *report = fixture_report(rows);
        assert_true(has_note(report, "Job 4 (evaluate)") == cases[i].differs);
        assert_true(has_note(report, "and equal within 1 %: 1.") != cases[i].differs);
        json_decref(report);
    }
}

static void
the_all_relu_row_comes_first_and_the_others_by_relus(void **state)
{
    json_t *report = fixture_report(fixture_rows());
    double last = 0;

    (void)state;
    assert_int_equal(json_array_size(json_object_get(report, "groups")), 7);
    assert_true(group_is_reference(group_at(report, 0)));
    for (size_t i = 1; i < 7; i++) {
        const double x = group_x(group_at(report, i), "relus");
        assert_false(group_is_reference(group_at(report, i)));
        assert_true(x >= last);
        last = x;
    }
    json_decref(report);
}

static void
keeping_every_relu_makes_a_reference_whatever_the_budget_says(void **state)
{
    json_t *rows = fixture_empty();

    (void)state;
    fixture_add(rows, 5000, 4, 0, 70);
    fixture_add(rows, 100000, 4, 0, 80);
    json_t *report = fixture_report(rows);
    assert_true(group_is_reference(group_at(report, 0)));
    assert_true(json_num(group_at(report, 0), "saving", 0) == 1);
    assert_true(json_num(group_at(report, 1), "saving", 0) == 20);
    json_decref(report);
}

static void
references_stay_out_of_the_front_and_ties_stay_in(void **state)
{
    json_t *rows = fixture_empty();

    (void)state;
    fixture_add(rows, 0, 4, 0, 99);
    fixture_add(rows, 5000, 1, 0, 70);
    fixture_add(rows, 5000, 2, 0, 70);
    fixture_add(rows, 5000, 3, 0, 69);
    fixture_add(rows, 9000, 1, 0, 70);
    fixture_add(rows, 9000, 2, 0, 71);
    json_t *report = fixture_report(rows);
    const json_t *front = json_object_get(json_object_get(report, "fronts"), "CA");
    const json_int_t want[] = {1, 2, 5};
    assert_int_equal(json_array_size(front), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(json_integer_value(json_array_get(front, i)), want[i]);
        assert_true(group_on_front(group_at(report, (size_t)want[i]), "CA"));
    }
    assert_false(group_on_front(group_at(report, 0), "CA"));
    json_decref(report);
}

static void
labels_name_the_axes_that_vary(void **state)
{
    json_t *report = fixture_report(fixture_rows());

    (void)state;
    assert_string_equal(json_str(group_at(report, 1), "label", ""),
                        "relu_budget 5k, temperature 1");
    assert_string_equal(json_str(group_at(report, 0), "label", ""), "relu_budget all");
    json_decref(report);
}

static void
the_summary_is_made_from_the_numbers(void **state)
{
    json_t *report = fixture_report(fixture_rows());
    const json_t *summary = json_object_get(report, "summary");

    (void)state;
    says(summary, "13 of 14 cells finished, of 7 settings.");
    says(summary,
         "Clean accuracy (CA) is best at 20,000 ReLUs (temperature 1): 80.88 %,"
         " 5.83 points below the all-ReLU model's 86.70 %, with 2.4 times "
         "fewer ReLUs.");
    json_decref(report);
}

static void
a_failure_names_its_cause_its_cells_and_what_never_ran(void **state)
{
    json_t *report = fixture_report(fixture_rows());
    const json_t *failures = json_object_get(report, "failures");
    const json_t *f = json_array_get(failures, 0);

    (void)state;
    assert_int_equal(json_array_size(failures), 1);
    assert_string_equal(json_str(f, "kind", ""), "numeric");
    assert_string_equal(json_str(f, "stage", ""), "finetune");
    says(json_object_get(f, "text"), "loss kl is NaN");
    assert_int_equal(json_int(f, "count", 0), 1);
    assert_int_equal(json_int(f, "dependants", 0), 1);
    assert_int_equal(json_array_size(json_object_get(f, "cells")), 1);
    json_decref(report);
}

/* A failed job for a cell of its own. */
static void
add_failed(json_t *rows, int id, const char *text)
{
    json_t *cell = fixture_add(rows, 5000 + id, 4, 0, 0);

    json_object_set_new(cell, "state", json_string("failed"));
    json_array_append_new(json_object_get(cell, "jobs"),
                          json_pack("{s:i, s:s, s:s, s:{s:s, s:s}}", "id", id, "stage",
                                    "mask", "state", "failed", "error", "kind",
                                    "numeric", "text", text));
}

static void
failures_that_differ_only_in_numbers_have_one_cause(void **state)
{
    json_t *rows = fixture_empty();

    (void)state;
    add_failed(rows, 1, "step 12: loss is NaN");
    add_failed(rows, 2, "out of memory");
    add_failed(rows, 3, "step 4711: loss is NaN");
    json_t *report = fixture_report(rows);
    const json_t *failures = json_object_get(report, "failures");
    assert_int_equal(json_array_size(failures), 2);
    assert_int_equal(json_int(json_array_get(failures, 0), "count", 0), 2);
    assert_int_equal(json_int(json_array_get(failures, 1), "count", 0), 1);
    json_decref(report);
}

static void
a_shared_job_is_counted_once_and_stages_follow_the_chain(void **state)
{
    static const char *const order[] = {"teacher", "mask", "finetune", "evaluate"};
    json_t *report = fixture_report(fixture_rows());
    const json_t *stages = json_object_get(report, "stages");

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(json_str(json_array_get(stages, i), "stage", ""), order[i]);
    assert_int_equal(json_int(json_array_get(stages, 0), "jobs", 0), 2);
    assert_int_equal(json_int(json_array_get(stages, 2), "failed", 0), 1);
    json_decref(report);
}

static void
notes_say_what_limits_the_numbers(void **state)
{
    json_t *rows = fixture_rows();
    json_t *cell = json_array_get(json_object_get(rows, "cells"), 0);

    (void)state;
    json_object_set_new(json_object_get(cell, "params"), "select_on",
                        json_string("test"));
    json_t *report = fixture_report(rows);
    assert_true(has_note(report, "Selection on the test set is on"));
    assert_true(has_note(report, "Small-scale run (8,000 training images"));
    assert_true(has_note(report, "1 cell failed"));
    assert_true(has_note(report, "Not all cells of 1 of the 8 settings"));
    json_decref(report);

    rows = fixture_empty();
    fixture_add(rows, 5000, 4, 0, 70);
    report = fixture_report(rows);
    assert_int_equal(json_array_size(json_object_get(report, "notes")), 0);
    json_decref(report);
}

static void
fewer_corruptions_than_the_benchmark_has_are_named(void **state)
{
    json_t *rows = fixture_empty();
    json_t *cell = fixture_add(rows, 5000, 4, 0, 70);

    (void)state;
    json_object_set_new(
        json_object_get(cell, "metrics"), "corruptions",
        json_pack("{s:f, s:s, s:s}", "value", 5.0, "unit", "", "goal", "none"));
    json_t *report = fixture_report(rows);
    assert_true(has_note(report, "means over 5 of the benchmark's 15 corruptions"));
    json_decref(report);
}

static void
what_was_asked_for_and_is_not_there_is_said(void **state)
{
    json_t *rows = fixture_empty();

    (void)state;
    fixture_add(rows, 5000, 4, 0, 70);
    json_t *request = json_object_get(rows, "report");
    json_object_set_new(request, "y", json_pack("[s,s]", "CA", "bleu"));
    json_object_set_new(request, "x", json_string("parsecs"));
    json_t *report = fixture_report(rows);
    assert_true(has_note(report, "No finished cell reported bleu."));
    assert_true(has_note(report, "No finished cell reported parsecs"));
    json_decref(report);
}

static void
an_empty_sweep_and_rows_without_cells_are_told_apart(void **state)
{
    json_t *report = fixture_report(fixture_empty()), *rows = json_object();
    struct err err = {0};

    (void)state;
    says(json_object_get(report, "summary"), "The sweep has no cells.");
    json_decref(report);
    assert_int_equal(report_build(&report, rows, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_null(report);
    json_object_set_new(rows, "name", json_string("t"));
    assert_int_equal(report_build(&report, rows, &err), -1);
    assert_non_null(strstr(err.text, "cells"));
    json_decref(rows);
}

static void
a_metric_where_less_is_better_has_its_front_downwards(void **state)
{
    json_t *rows = fixture_rows();

    (void)state;
    json_object_set_new(json_object_get(rows, "report"), "y", json_pack("[s]", "mCE"));
    json_t *report = fixture_report(rows);
    const json_t *front = json_object_get(json_object_get(report, "fronts"), "mCE");
    double last = INFINITY;
    assert_int_equal(json_array_size(front), 3);
    for (size_t i = 0; i < 3; i++) {
        const size_t at = (size_t)json_integer_value(json_array_get(front, i));
        const double v = group_stat(group_at(report, at), "mCE", "mean");
        assert_true(v < last);
        last = v;
    }
    json_decref(report);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(re_runs_are_told_and_those_that_differ_by_name),
        cmocka_unit_test(re_runs_with_other_kernels_need_not_have_the_same_bits),
        cmocka_unit_test(the_all_relu_row_comes_first_and_the_others_by_relus),
        cmocka_unit_test(keeping_every_relu_makes_a_reference_whatever_the_budget_says),
        cmocka_unit_test(references_stay_out_of_the_front_and_ties_stay_in),
        cmocka_unit_test(labels_name_the_axes_that_vary),
        cmocka_unit_test(the_summary_is_made_from_the_numbers),
        cmocka_unit_test(a_failure_names_its_cause_its_cells_and_what_never_ran),
        cmocka_unit_test(failures_that_differ_only_in_numbers_have_one_cause),
        cmocka_unit_test(a_shared_job_is_counted_once_and_stages_follow_the_chain),
        cmocka_unit_test(notes_say_what_limits_the_numbers),
        cmocka_unit_test(fewer_corruptions_than_the_benchmark_has_are_named),
        cmocka_unit_test(what_was_asked_for_and_is_not_there_is_said),
        cmocka_unit_test(an_empty_sweep_and_rows_without_cells_are_told_apart),
        cmocka_unit_test(a_metric_where_less_is_better_has_its_front_downwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
