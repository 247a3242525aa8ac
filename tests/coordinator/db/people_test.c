/* What people's commands do to jobs: retry and cancel, on shared and running ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/check.h"
#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/jobs.h"
#include "shared/base/json.h"
#include "shared/base/mem.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

struct world {
    struct db *db;
    struct dag_fixture *a, *b; /* b shares a's teacher */
    int64_t sweep_a, sweep_b;
};

static int
make_world(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct db_submitted out;
    struct err err;

    w->db = db_fixture_new("people", NULL);
    w->a = dag_fixture_new("a", "text");
    w->b = dag_fixture_new("b", "text");
    dag_fixture_add(w->a, 0, 10);
    dag_fixture_add(w->b, 0, 20);
    assert_int_equal(db_submit(w->db, &w->a->sweep, w->a->dag, &out, &err), 0);
    w->sweep_a = out.sweep;
    assert_int_equal(db_submit(w->db, &w->b->sweep, w->b->dag, &out, &err), 0);
    w->sweep_b = out.sweep;
    *state = w;
    return 0;
}

static int
free_world(void **state)
{
    struct world *w = *state;

    dag_fixture_free(w->a);
    dag_fixture_free(w->b);
    db_close(w->db);
    free(w);
    return 0;
}

/* "teacher:ready mask:blocked ..." of a sweep's only cell. */
static char *
states(struct world *w, int64_t sweep)
{
    struct pg_rows rows;
    struct err err;

    assert_int_equal(
        pg_query(w->db->pg, &rows,
                 "SELECT string_agg(s.stage || ':' || j.state, ' ' ORDER BY k.place)"
                 " FROM cell c JOIN cell_job k ON k.cell = c.id JOIN job j ON j.id ="
                 " k.job JOIN job_spec s ON s.job = j.id WHERE c.sweep = $1",
                 PG_ARGS(PG_INT(sweep)), &err),
        0);
    char *text = xstrdup(pg_text_at(&rows, 0, 0));
    pg_rows_release(&rows);
    return text;
}

static void
expect(struct world *w, int64_t sweep, const char *want)
{
    char *got = states(w, sweep);

    assert_string_equal(got, want);
    free(got);
}

static void
fail_teacher(struct world *w)
{
    struct err err;
    int64_t count;

    db_fixture_script(w->db,
                      "UPDATE job SET state = 'failed', n_error = 3 WHERE id = 1");
    assert_int_equal(jobs_fail_dependants(w->db->pg, 1, &count, &err), 0);
    assert_int_equal(count, 4);
}

static void
failure_reaches_all_dependants_of_all_sweeps(void **state)
{
    struct world *w = *state;

    fail_teacher(w);
    expect(w, w->sweep_a,
           "teacher:failed mask:upstream_failed finetune:upstream_failed");
    expect(w, w->sweep_b,
           "teacher:failed mask:upstream_failed finetune:upstream_failed");
}

static void
retry_gives_fresh_budgets_to_the_whole_chain(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.sweep = w->sweep_a};
    struct err err;
    int64_t count;

    fail_teacher(w);
    assert_int_equal(db_retry(w->db, &sel, &count, &err), 0);
    assert_int_equal(count, 5); /* b's jobs fell with the shared teacher */
    expect(w, w->sweep_a, "teacher:ready mask:blocked finetune:blocked");
    expect(w, w->sweep_b, "teacher:ready mask:blocked finetune:blocked");
    assert_int_equal(pg_number(w->db->pg, &count, NULL,
                               "SELECT n_error FROM job WHERE id = 1", PG_NONE, &err),
                     0);
    assert_int_equal(count, 0);
    assert_int_equal(db_retry(w->db, &sel, &count, &err), 0);
    assert_int_equal(count, 0);
}

static void
retrying_one_dependant_takes_its_failed_ancestors_along(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.job = "3"};
    struct err err;
    int64_t count;

    fail_teacher(w);
    assert_int_equal(db_retry(w->db, &sel, &count, &err), 0);
    expect(w, w->sweep_a, "teacher:ready mask:blocked finetune:blocked");
}

/* The teacher and both masks have succeeded; one finetune waits, the other one failed. */
static void
make_progress(struct world *w)
{
    db_fixture_script(
        w->db,
        "INSERT INTO worker (boot, name, host, version, slots, threads, connected)"
        " VALUES ('b', 'w', 'h', '0', 1, 1, true);"
        "INSERT INTO blob (sha, size, stored) SELECT 'sha' || i, 0, true"
        " FROM generate_series(1, 2) i;"
        "UPDATE job SET state = 'succeeded', attempt = 1, worker = 1, leased_at = now()"
        " WHERE id IN (1, 2, 4);"
        "UPDATE job SET state = 'ready' WHERE id = 3;"
        "UPDATE job SET state = 'failed', attempt = 1, n_error = 3 WHERE id = 5;"
        "INSERT INTO attempt (job, attempt, worker, leased_at, ended_at, outcome)"
        " SELECT id, 1, 1, now() - interval '1 s', now(), CASE state WHEN 'failed' THEN"
        "  'data' ELSE 'ok' END FROM job WHERE attempt = 1;"
        "INSERT INTO artifact (job, attempt, name, blob)"
        " VALUES (1, 1, 'model', 1), (2, 1, 'model', 2), (4, 1, 'model', 2);"
        "INSERT INTO metric_key (name, unit, goal) VALUES ('CA', '%', 'max');"
        "INSERT INTO metric_final (job, attempt, key, value) SELECT j, 1, k.id, 0.5"
        " FROM metric_key k, unnest('{1,2,4}'::bigint[]) j");
}

static void
expect_sound(struct world *w)
{
    struct err err;
    json_t *doc;

    assert_int_equal(db_check(w->db, false, &doc, &err), 0);
    assert_int_equal(json_int(doc, "found", -1), 0);
    json_decref(doc);
}

static void
a_job_that_succeeded_is_done_again_with_all_that_came_of_it(void **state)
{
    struct world *w = *state;
    struct db_selection sel = {.job = "2", .state = "succeeded"};
    struct err err;
    int64_t count;

    make_progress(w);
    expect_sound(w);
    assert_int_equal(db_redo(w->db, &sel, &count, &err), 0);
    assert_int_equal(count, 2);
    expect(w, w->sweep_a, "teacher:succeeded mask:ready finetune:blocked");
    expect(w, w->sweep_b, "teacher:succeeded mask:succeeded finetune:failed");
    expect_sound(w);
    /* the blob is also what job 4 made */
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM blob"), 2);

    sel.job = "1";
    assert_int_equal(db_redo(w->db, &sel, &count, &err), 0);
    assert_int_equal(count, 5);
    expect(w, w->sweep_a, "teacher:ready mask:blocked finetune:blocked");
    expect(w, w->sweep_b, "teacher:ready mask:blocked finetune:blocked");
    expect_sound(w);
    assert_int_equal(
        db_fixture_number(w->db,
                          "SELECT (SELECT count(*) FROM blob)"
                          " + (SELECT count(*) FROM metric_final)"
                          " + (SELECT sum(n_error) FROM job)"
                          " + (SELECT count(*) FROM attempt WHERE outcome = 'ok')"),
        0);
    assert_int_equal(
        db_fixture_number(
            w->db, "SELECT count(*) FROM attempt WHERE outcome IN ('undone', 'data')"),
        4);
    assert_int_equal(db_redo(w->db, &sel, &count, &err), 0);
    assert_int_equal(count, 0);
}

static void
what_runs_keeps_the_jobs_that_it_came_of(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.job = "1"};
    struct err err;
    int64_t count;

    make_progress(w);
    db_fixture_script(w->db, "UPDATE job SET state = 'leased' WHERE id = 3");
    assert_int_equal(db_redo(w->db, &sel, &count, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, "job 3 runs"));
    expect(w, w->sweep_a, "teacher:succeeded mask:succeeded finetune:leased");
}

static void
cancelling_a_sweep_keeps_what_another_one_needs(void **state)
{
    struct world *w = *state;
    const struct db_selection a = {.sweep = w->sweep_a}, b = {.sweep = w->sweep_b};
    struct err err;
    int64_t count;

    assert_int_equal(db_cancel(w->db, &a, false, &count, &err), 0);
    assert_int_equal(count, 2);
    expect(w, w->sweep_a, "teacher:ready mask:cancelled finetune:cancelled");
    assert_int_equal(db_cancel(w->db, &b, false, &count, &err), 0);
    assert_int_equal(count, 3); /* a does not need the teacher any more */
    expect(w, w->sweep_b, "teacher:cancelled mask:cancelled finetune:cancelled");
}

static void
submitting_a_cancelled_sweep_again_takes_it_back(void **state)
{
    struct world *w = *state;
    const struct db_selection all = {0};
    struct db_submitted out;
    struct err err;
    int64_t count;

    assert_int_equal(db_cancel(w->db, &all, false, &count, &err), 0);
    expect(w, w->sweep_a, "teacher:cancelled mask:cancelled finetune:cancelled");
    assert_int_equal(db_submit(w->db, &w->a->sweep, w->a->dag, &out, &err), 0);
    expect(w, w->sweep_a, "teacher:ready mask:blocked finetune:blocked");
    expect(w, w->sweep_b, "teacher:ready mask:cancelled finetune:cancelled");
}

static void
cancelling_one_job_tells_its_dependants(void **state)
{
    struct world *w = *state;
    const struct db_selection mask = {.job = "2"};
    struct err err;
    int64_t count;

    assert_int_equal(db_cancel(w->db, &mask, false, &count, &err), 0);
    assert_int_equal(count, 1);
    expect(w, w->sweep_a, "teacher:ready mask:cancelled finetune:upstream_failed");
    expect(w, w->sweep_b, "teacher:ready mask:blocked finetune:blocked");
}

static void
a_running_job_is_asked_to_stop(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.job = "1"};
    struct err err;
    int64_t count;

    db_fixture_script(w->db,
                      "UPDATE job SET state = 'leased', attempt = 1 WHERE id = 1");
    assert_int_equal(db_cancel(w->db, &sel, false, &count, &err), 0);
    assert_int_equal(count, 1);
    expect(w, w->sweep_a, "teacher:leased mask:blocked finetune:blocked");
    assert_int_equal(db_cancel(w->db, &sel, true, &count, &err), 0);
    assert_int_equal(count, 0); /* asked already, now with more force */
    assert_int_equal(pg_number(w->db->pg, &count, NULL,
                               "SELECT count(*) FROM request WHERE hard AND job = 1",
                               PG_NONE, &err),
                     0);
    assert_int_equal(count, 1);
}

static void
unknown_jobs_are_a_usage_error(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.job = "777"};
    struct err err;
    int64_t count;

    assert_int_equal(db_retry(w->db, &sel, &count, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "777"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(failure_reaches_all_dependants_of_all_sweeps),
        TEST(retry_gives_fresh_budgets_to_the_whole_chain),
        TEST(retrying_one_dependant_takes_its_failed_ancestors_along),
        TEST(a_job_that_succeeded_is_done_again_with_all_that_came_of_it),
        TEST(what_runs_keeps_the_jobs_that_it_came_of),
        TEST(cancelling_a_sweep_keeps_what_another_one_needs),
        TEST(submitting_a_cancelled_sweep_again_takes_it_back),
        TEST(cancelling_one_job_tells_its_dependants),
        TEST(a_running_job_is_asked_to_stop),
        TEST(unknown_jobs_are_a_usage_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
