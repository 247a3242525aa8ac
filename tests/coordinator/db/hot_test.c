/* Lease, start and success of many jobs at once: every statement on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/handle.h"
#include "coordinator/db/hot.h"
#include "shared/base/mem.h"
#include "tests/support/db_fixture.h"

enum { N = 5 };

static struct forms forms;

/* Jobs 1 to 5 are ready; 6 needs 1 and 2; 7 needs 3. */
static int
make_world(void **state)
{
    struct db *db = db_fixture_new("hot", NULL);
    struct err err;

    db_fixture_script(
        db,
        "INSERT INTO job_form (method, stage, names, template)"
        " VALUES ('m', 's', '{i}', '{\"inputs\":{%1$s},\"i\":%2$s}');"
        "INSERT INTO job_def (digest, form, vals, parents) SELECT sha256(i::text::bytea),"
        " f.id, i::text, CASE i WHEN 6 THEN '{1,2}' WHEN 7 THEN '{3}' ELSE '{}' END::bigint[]"
        " FROM generate_series(1, 7) i, job_form f ORDER BY i;"
        "INSERT INTO job (id, state) SELECT i, CASE WHEN i <= 5"
        " THEN 'ready'::job_state ELSE 'blocked' END FROM generate_series(1, 7) i;"
        "INSERT INTO job_child (child, parent) VALUES (6, 1), (6, 2), (7, 3)");
    assert_int_equal(hot_prepare(db->pg, &err), 0);
    *state = db;
    return 0;
}

static int
free_world(void **state)
{
    forms_release(&forms);
    db_close(*state);
    return 0;
}

static void
lease(struct db *db, struct hot_lease *leases, size_t n)
{
    struct err err = {0};

    if (hot_lease(db->pg, leases, n, &err) != 0
        || hot_describe(db->pg, &forms, leases, n, &err) != 0)
        fail_msg("%s", err.text);
}

static void
release(struct hot_lease *leases, size_t n)
{
    hot_lease_forget(leases, n);
    for (size_t i = 0; i < n; i++) {
        free(leases[i].digest);
        free(leases[i].spec);
        artifacts_inputs_release(&leases[i].inputs);
    }
}

static void
lease_all(struct db *db, int64_t attempt, bool done)
{
    struct hot_lease leases[N] = {0};
    char spec[32];

    for (int i = 0; i < N; i++)
        leases[i] = (struct hot_lease){.job = i + 1, .attempt = attempt, .worker = 9};
    lease(db, leases, N);
    for (int i = 0; i < N; i++) {
        assert_int_equal(leases[i].done, done);
        snprintf(spec, sizeof spec, "{\"inputs\":{},\"i\":%d}", i + 1);
        if (done)
            assert_string_equal(leases[i].spec, spec);
        if (done)
            assert_int_equal(strlen(leases[i].digest), 64);
    }
    release(leases, N);
}

static void
end_all(struct db *db, struct hot_success ends[N], struct job_ready_list *ready)
{
    struct err err = {0};

    if (hot_success(db->pg, ends, N, ready, &err) != 0)
        fail_msg("%s", err.text);
}

static void
only_ready_jobs_of_the_right_attempt_are_leased(void **state)
{
    struct db *db = *state;

    lease_all(db, 2, false);
    lease_all(db, 1, true);
    lease_all(db, 2, false);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM job WHERE"
                                           " state = 'leased' AND attempt = 1"
                                           " AND worker = 9 AND leased_at <= now()"),
                     N);
}

/* 2 and 4 have started, 4 has a checkpoint, 5 a request; the others are bare. */
static void
bare_and_other_attempts_end_in_one_call(void **state)
{
    struct db *db = *state;
    struct hot_start starts[] = {{.job = 2, .attempt = 1, .pid = 7, .provenance = "{}"},
                                 {.job = 4, .attempt = 1, .pid = 8, .provenance = ""}};
    struct metric m = {.name = "CA", .value = 3, .unit = "%"};
    struct job_ready_list ready = {0};
    struct hot_success ends[N];
    struct err err;

    lease_all(db, 1, true);
    assert_int_equal(hot_start(db->pg, starts, 2, &err), 0);
    db_fixture_script(db, "INSERT INTO blob (sha, size) VALUES ('s', 1);"
                          "INSERT INTO checkpoint_head (job, attempt, step, blob)"
                          " SELECT 4, 1, 1, id FROM blob;"
                          "INSERT INTO request (kind, job) VALUES ('cancel', 5)");
    for (int i = 0; i < N; i++)
        ends[i] = (struct hot_success){.job = i + 1,
                                       .attempt = 1,
                                       .exit_code = 0,
                                       .peak_rss_bytes = i,
                                       .seconds = i,
                                       .finals = &m,
                                       .n_finals = 1,
                                       .bare = i % 2 == 0};
    end_all(db, ends, &ready);
    for (int i = 0; i < N; i++)
        assert_true(ends[i].done);
    assert_int_equal(ready.n, 2); /* 6 and 7 */
    free(ready.items);
    assert_int_equal(
        db_fixture_number(db, "SELECT count(*) FROM attempt WHERE outcome = 'ok'"
                              " AND worker = 9 AND seconds = job - 1"
                              " AND ended_at >= leased_at"),
        N);
    assert_int_equal(
        db_fixture_number(db,
                          "SELECT sum(pid) FROM attempt WHERE started_at IS NOT NULL"),
        15);
    assert_int_equal(
        db_fixture_number(db, "SELECT count(*) FROM metric_final WHERE value = 3"), N);
    assert_int_equal(
        db_fixture_number(db, "SELECT (SELECT count(*) FROM checkpoint_head)"
                              " + (SELECT count(*) FROM request WHERE done_at IS NULL)"
                              " + (SELECT count(*) FROM blob)"),
        0);
}

static void
what_is_not_current_changes_nothing(void **state)
{
    struct db *db = *state;
    struct job_ready_list ready = {0};
    struct hot_success ends[N];

    lease_all(db, 1, true);
    for (int i = 0; i < N; i++)
        ends[i] = (struct hot_success){.job = i + 1, .attempt = 2, .bare = i % 2 == 0};
    end_all(db, ends, &ready);
    for (int i = 0; i < N; i++)
        assert_false(ends[i].done);
    assert_int_equal(ready.n, 0);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM attempt"), 0);
}

/* Each of three jobs with a worker, an exit code and times of its own. */
static void
move_three(struct db *db, const int64_t jobs[3])
{
    struct hot_lease leases[3] = {0};
    struct hot_success ends[3] = {0};
    struct job_ready_list ready = {0};
    struct err err = {0};

    for (int i = 0; i < 3; i++)
        leases[i] =
            (struct hot_lease){.job = jobs[i], .attempt = 1, .worker = 10 * jobs[i]};
    lease(db, leases, 3);
    release(leases, 3);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM job WHERE"
                                           " state = 'leased' AND attempt = 1"
                                           " AND worker = 10 * id"),
                     3);
    for (int i = 0; i < 3; i++)
        ends[i] = (struct hot_success){.job = jobs[i],
                                       .attempt = 1,
                                       .exit_code = jobs[i] + 1,
                                       .peak_rss_bytes = i == 1 ? 0 : jobs[i] + 2,
                                       .seconds = i == 1 ? -1 : (double)jobs[i] + 3,
                                       .bare = true};
    if (hot_success(db->pg, ends, 3, &ready, &err) != 0)
        fail_msg("%s", err.text);
    for (int i = 0; i < 3; i++)
        assert_true(ends[i].done);
    free(ready.items);
}

/* One look into the index finds near ones, and others between them; far ones are looked up
 * one by one. */
static void
near_and_far_jobs_move_and_those_between_do_not(void **state)
{
    static const int64_t sets[][3] = {{5, 1, 3}, {2, 41, 4}};
    struct db *db = *state;

    db_fixture_script(
        db,
        "INSERT INTO job_def (job, digest, form) OVERRIDING SYSTEM VALUE"
        " SELECT i, sha256(i::text::bytea), f.id FROM generate_series(40, 41) i,"
        "  job_form f; INSERT INTO job (id, state) VALUES (40, 'ready'), (41, 'ready')");
    move_three(db, sets[0]);
    assert_int_equal(db_fixture_number(db,
                                       "SELECT sum(id) FROM job WHERE state = 'ready'"
                                       " AND attempt = 0"),
                     2 + 4 + 40 + 41 + 7); /* 7 waited for 3 */
    move_three(db, sets[1]);
    assert_int_equal(db_fixture_number(db,
                                       "SELECT sum(id) FROM job WHERE state = 'ready'"
                                       " AND attempt = 0"),
                     40 + 7 + 6);
    assert_int_equal(
        db_fixture_number(db, "SELECT count(*) FROM attempt WHERE attempt = 1"
                              " AND worker = 10 * job AND exit_code = job + 1"
                              " AND CASE WHEN job IN (1, 41) THEN seconds IS NULL"
                              "  AND peak_rss_bytes IS NULL ELSE seconds = job + 3"
                              "  AND peak_rss_bytes = job + 2 END"),
        6);
}

static void
the_next_attempt_is_told_of_the_checkpoint(void **state)
{
    struct db *db = *state;
    struct hot_lease again = {.job = 3, .attempt = 2, .worker = 9};

    lease_all(db, 1, true);
    db_fixture_script(db, "INSERT INTO blob (sha, size) VALUES ('abc', 5);"
                          "INSERT INTO checkpoint_head (job, attempt, step, blob)"
                          " SELECT 3, 1, 40, id FROM blob;"
                          "UPDATE job SET state = 'ready' WHERE id = 3");
    lease(db, &again, 1);
    assert_true(again.done);
    assert_string_equal(again.resume.sha, "abc");
    assert_int_equal(again.resume.size, 5);
    assert_int_equal(again.resume.step, 40);
    release(&again, 1);
}

static void
a_child_is_given_the_models_of_its_parents(void **state)
{
    struct db *db = *state;
    struct hot_lease child = {.job = 6, .attempt = 1, .worker = 9};

    db_fixture_script(db, "INSERT INTO blob (sha, size) VALUES ('abc', 5);"
                          "INSERT INTO artifact (job, attempt, name, blob)"
                          " SELECT j, 1, 'model', b.id FROM blob b,"
                          " generate_series(1, 2) j;"
                          "UPDATE job SET state = 'ready' WHERE id = 6");
    lease(db, &child, 1);
    assert_true(child.done);
    assert_int_equal(child.inputs.n, 2);
    assert_string_equal(child.inputs.items[0].sha, "abc");
    release(&child, 1);
}

/* The spec and digest of a job as readers of the database see them. */
static void
check_lease(struct db *db, const struct hot_lease *l)
{
    struct pg_rows rows;
    struct err err = {0};

    assert_true(l->done);
    if (pg_query(db->pg, &rows, "SELECT digest, text FROM job_spec WHERE job = $1",
                 PG_ARGS(PG_INT(l->job)), &err)
        != 0)
        fail_msg("%s", err.text);
    assert_string_equal(l->digest, pg_text_at(&rows, 0, 0));
    assert_string_equal(l->spec, pg_text_at(&rows, 0, 1));
    pg_rows_release(&rows);
}

/* Values that are empty, long, or have percent signs; a template with percent signs, with
 * values out of order and twice; parents of several stages; jobs with gaps between. */
static void
a_worker_gets_the_spec_that_the_database_shows(void **state)
{
    static const int64_t jobs[] = {12, 14, 10, 6, 7, 11};
    enum { COUNT = sizeof jobs / sizeof jobs[0] };
    struct hot_lease leases[COUNT] = {0};
    struct db *db = *state;

    db_fixture_script(
        db,
        "INSERT INTO job_form (method, stage, template) VALUES"
        " ('m', 'T', '{\"inputs\":{%1$s},\"p\":\"100%%\",\"b\":%3$s,\"a\":%2$s,\"c\":[%3$s]}'),"
        " ('m', 'a', '%1$s%12$s%2$s'), ('m', 'plain', '{}');"
        "INSERT INTO job_def (job, digest, form, vals, parents) OVERRIDING SYSTEM VALUE"
        " SELECT i, sha256(i::text::bytea), f.id, v, p FROM job_form f, (VALUES"
        "  (10, 'T', E'\"%2$s\"\\t\"100%\"', '{7,3,1}'::bigint[]),"
        "  (11, 'T', E'\\t', '{10}'), (12, 'plain', '', '{}'),"
        "  (13, 'plain', '', '{6,10}'), (14, 'a', E'1\\t2\\t\\t\\t\\t\\t\\t\\t\\t\\tk', '{13,10,1}'))"
        "  x(i, s, v, p) WHERE f.stage = x.s;"
        "INSERT INTO job (id) SELECT generate_series(10, 14);"
        "UPDATE job SET state = 'ready'");
    for (int round = 1; round <= 2; round++) { /* with forms to read, and without */
        db_fixture_script(db, "UPDATE job SET state = 'ready'");
        for (int i = 0; i < COUNT; i++)
            leases[i] =
                (struct hot_lease){.job = jobs[i], .attempt = round, .worker = 9};
        lease(db, leases, COUNT);
        for (int i = 0; i < COUNT; i++)
            check_lease(db, &leases[i]);
        release(leases, COUNT);
    }
}

static void
a_job_that_does_not_fit_its_form_has_no_spec_and_its_neighbours_have_theirs(
    void **state)
{
    struct hot_lease leases[] = {{.job = 20, .attempt = 1, .worker = 9},
                                 {.job = 1, .attempt = 1, .worker = 9}};
    struct db *db = *state;
    struct err err = {0};

    db_fixture_script(db,
                      "INSERT INTO job_form (method, stage, template)"
                      " VALUES ('m', 'T', '%3$s');"
                      "INSERT INTO job_def (job, digest, form) OVERRIDING SYSTEM VALUE"
                      " SELECT 20, '\\x20', id FROM job_form WHERE stage = 'T';"
                      "INSERT INTO job (id, state) VALUES (20, 'ready')");
    assert_int_equal(hot_lease(db->pg, leases, 2, &err), 0);
    assert_int_equal(hot_describe(db->pg, &forms, leases, 2, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    assert_non_null(strstr(err.text, "job 20"));
    assert_null(leases[0].spec);
    assert_string_equal(leases[1].spec, "{\"inputs\":{},\"i\":1}");
    release(leases, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)
        TEST(only_ready_jobs_of_the_right_attempt_are_leased),
        TEST(bare_and_other_attempts_end_in_one_call),
        TEST(what_is_not_current_changes_nothing),
        TEST(near_and_far_jobs_move_and_those_between_do_not),
        TEST(the_next_attempt_is_told_of_the_checkpoint),
        TEST(a_child_is_given_the_models_of_its_parents),
        TEST(a_worker_gets_the_spec_that_the_database_shows),
        TEST(
            a_job_that_does_not_fit_its_form_has_no_spec_and_its_neighbours_have_theirs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
