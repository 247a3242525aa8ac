/* Submitting: again, extended, shared between sweeps, and what people then see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "shared/base/mem.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

static struct db_submitted
submit(struct db *db, const struct dag_fixture *f)
{
    struct db_submitted out;
    struct err err = {0};

    if (db_submit(db, &f->sweep, f->dag, &out, &err) != 0)
        fail_msg("%s", err.text);
    return out;
}

static int
setup(void **state)
{
    *state = db_fixture_new("submit", NULL);
    return 0;
}

static int
teardown(void **state)
{
    db_close(*state);
    return 0;
}

static void
cells_share_jobs_and_only_roots_are_ready(void **state)
{
    struct db *db = *state;
    struct dag_fixture *f = dag_fixture_new("a", "text");

    dag_fixture_add(f, 0, 10);
    dag_fixture_add(f, 0, 20);
    const struct db_submitted out = submit(db, f);
    assert_int_equal(out.cells, 2);
    assert_int_equal(out.jobs, 5);
    assert_int_equal(out.new_jobs, 5);
    assert_int_equal(
        db_fixture_number(db, "SELECT count(*) FROM job WHERE state = 'ready'"), 1);
    assert_int_equal(
        db_fixture_number(db, "SELECT count(*) FROM job WHERE state = 'blocked'"), 4);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM job_dep"), 4);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM cell_job"), 6);
    dag_fixture_free(f);
}

static void
submitting_again_changes_nothing(void **state)
{
    struct db *db = *state;
    struct dag_fixture *f = dag_fixture_new("a", "text");

    dag_fixture_add(f, 0, 10);
    const struct db_submitted first = submit(db, f);
    const int64_t cell = db_fixture_number(db, "SELECT id FROM cell");
    const struct db_submitted again = submit(db, f);
    assert_int_equal(again.sweep, first.sweep);
    assert_int_equal(again.new_jobs, 0);
    assert_int_equal(again.other, 3);
    assert_int_equal(db_fixture_number(db, "SELECT revision FROM sweep"), 1);
    assert_int_equal(db_fixture_number(db, "SELECT id FROM cell"), cell);
    dag_fixture_free(f);
}

static void
an_extended_file_adds_only_what_is_missing(void **state)
{
    struct db *db = *state;
    struct dag_fixture *f = dag_fixture_new("a", "text");

    dag_fixture_add(f, 0, 10);
    submit(db, f);
    assert_int_equal(pg_script(db->pg,
                               "UPDATE job SET state = 'succeeded' WHERE id IN (SELECT"
                               " job FROM job_spec WHERE stage = 'teacher')",
                               &(struct err){0}),
                     0);
    dag_fixture_add(f, 0, 30);
    const struct db_submitted out = submit(db, f);
    assert_int_equal(out.new_jobs, 2);
    assert_int_equal(out.done, 1);
    assert_int_equal(db_fixture_number(db, "SELECT revision FROM sweep"), 2);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM cell"), 2);
    /* the new mask may run at once: its teacher is done */
    assert_int_equal(
        db_fixture_number(db, "SELECT count(*) FROM job j JOIN job_spec s ON s.job ="
                              " j.id WHERE s.stage = 'mask' AND j.state = 'ready'"),
        1);
    dag_fixture_free(f);
}

static void
a_new_child_of_a_failed_job_is_upstream_failed(void **state)
{
    struct db *db = *state;
    struct dag_fixture *f = dag_fixture_new("a", "text");

    dag_fixture_add(f, 0, 10);
    submit(db, f);
    assert_int_equal(pg_script(db->pg,
                               "UPDATE job SET state = 'failed' WHERE state = 'ready'",
                               &(struct err){0}),
                     0);
    dag_fixture_add(f, 0, 20);
    submit(db, f);
    assert_int_equal(
        db_fixture_number(db, "SELECT count(*) FROM job WHERE state ="
                              " 'upstream_failed' AND cause = (SELECT id FROM job"
                              " WHERE state = 'failed')"),
        2);
    dag_fixture_free(f);
}

static void
the_report_has_cells_jobs_and_metrics(void **state)
{
    struct db *db = *state;
    struct dag_fixture *f = dag_fixture_new("a", "name: a # text");
    struct err err;
    json_t *doc;

    dag_fixture_add(f, 0, 10);
    const int64_t sweep = submit(db, f).sweep;
    assert_int_equal(
        pg_script(db->pg,
                  "INSERT INTO metric_key (name, unit, goal) VALUES ('CA', '%', 'max');"
                  "INSERT INTO metric_final (job, key, attempt, value)"
                  " SELECT job, 1, 1, CASE stage WHEN 'teacher' THEN 50 ELSE 60 END"
                  " FROM job_spec WHERE stage <> 'mask'",
                  &err),
        0);
    assert_int_equal(db_report(db, sweep, &doc, &err), 0);
    assert_string_equal(json_str(doc, "file", ""), "name: a # text");
    const json_t *cell = json_array_get(json_object_get(doc, "cells"), 0);
    assert_string_equal(json_str(cell, "state", ""), "ready");
    assert_int_equal(json_array_size(json_object_get(cell, "jobs")), 3);
    assert_int_equal(json_int(json_object_get(cell, "written"), "budget", 0), 10);
    /* the later stage's value counts */
    const json_t *ca = json_object_get(json_object_get(cell, "metrics"), "CA");
    assert_true(json_num(ca, "value", 0) == 60.0);
    assert_string_equal(json_str(ca, "goal", ""), "max");
    json_decref(doc);
    assert_int_equal(db_report(db, sweep + 1, &doc, &err), -1);
    dag_fixture_free(f);
}

static void
status_lists_and_explanations_name_what_is_there(void **state)
{
    struct db *db = *state;
    struct dag_fixture *f = dag_fixture_new("tables", "text");
    struct err err;
    json_t *doc;
    int64_t id;

    dag_fixture_add(f, 0, 10);
    submit(db, f);
    assert_int_equal(db_status(db, 0, &doc, &err), 0);
    const json_t *sweep = json_array_get(json_object_get(doc, "sweeps"), 0);
    assert_string_equal(json_str(sweep, "name", ""), "tables");
    assert_int_equal(json_int(json_object_get(sweep, "jobs"), "blocked", 0), 2);
    assert_true(json_is_null(json_object_get(doc, "coordinator")));
    json_decref(doc);
    const struct db_selection blocked = {.state = "blocked"};
    assert_int_equal(db_jobs(db, &blocked, 0, 100, &doc, &err), 0);
    assert_int_equal(json_array_size(json_object_get(doc, "jobs")), 2);
    json_decref(doc);
    assert_int_equal(db_job(db, dag_digest(f->dag, 1), &doc, &err), 0);
    assert_string_equal(json_str(doc, "why", ""), "waits for job 1 (teacher, ready)");
    assert_string_equal(json_str(doc, "stage", ""), "mask");
    json_decref(doc);
    assert_int_equal(db_sweep_id(db, "tables", &id, &err), 0);
    assert_int_equal(db_sweep_id(db, "tabels", &id, &err), -1);
    assert_non_null(strstr(err.text, "`tables`"));
    const struct db_selection typo = {.state = "faild"};
    assert_int_equal(db_jobs(db, &typo, 0, 100, &doc, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "failed"));
    assert_int_equal(db_known(db, f->dag, &doc, &err), 0);
    assert_string_equal(json_str(doc, dag_digest(f->dag, 0), ""), "ready");
    json_decref(doc);
    assert_int_equal(db_doctor(db, &doc, &err), 0);
    assert_int_equal(json_int(doc, "schema", 0), DB_SCHEMA_VERSION);
    json_decref(doc);
    const struct db_selection all = {0};
    assert_int_equal(db_artifacts(db, &all, &doc, &err), 0);
    json_decref(doc);
    dag_fixture_free(f);
}

/* Indexes are dropped while so many rows are copied, and made again. */
static void
many_first_jobs_leave_the_schema_as_it_was(void **state)
{
    static const char schema[] =
        "SELECT hashtext((SELECT string_agg(indexdef, ';' ORDER BY indexname)"
        "  FROM pg_indexes WHERE schemaname = 'public') || (SELECT string_agg("
        "   conname || pg_get_constraintdef(oid), ';' ORDER BY conname)"
        "  FROM pg_constraint WHERE connamespace = 'public'::regnamespace))";
    struct db *db = *state;
    struct dag_fixture *f = dag_fixture_new("big", "text");
    const int64_t before = db_fixture_number(db, schema);

    dag_fixture_add_many(f, 0, 5000);
    assert_int_equal(submit(db, f).new_jobs, 10001);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM job"), 10001);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM job_child"), 10000);
    assert_int_equal(db_fixture_number(db, schema), before);
    assert_int_equal(submit(db, f).new_jobs, 0);
    dag_fixture_free(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cells_share_jobs_and_only_roots_are_ready,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(submitting_again_changes_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_extended_file_adds_only_what_is_missing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_child_of_a_failed_job_is_upstream_failed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_report_has_cells_jobs_and_metrics, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            status_lists_and_explanations_name_what_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(many_first_jobs_leave_the_schema_as_it_was,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
