/* The fence in SQL: late, repeated and foreign results, and what follows from ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/leader.h"
#include "coordinator/db/workers.h"
#include "coordinator/dispatch/batch.h"
#include "coordinator/dispatch/job_state.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

struct world {
    struct db *db;
    struct batch batch;
    struct forms forms;
    int64_t worker;
    char *conninfo;
};

static int
make_world(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct dag_fixture *f = dag_fixture_new("a", "text");
    struct db_submitted out;
    struct err err;
    const struct worker_row row = {.boot = "boot",
                                   .name = "w",
                                   .host = "h",
                                   .version = "0.1.0",
                                   .slots = 1,
                                   .threads = 1};

    dag_fixture_add(f, 0, 10);
    w->db = db_fixture_new("fence", &w->conninfo);
    assert_int_equal(db_submit(w->db, &f->sweep, f->dag, &out, &err), 0);
    assert_int_equal(workers_connected(w->db->pg, &row, &w->worker, &err), 0);
    dag_fixture_free(f);
    *state = w;
    return 0;
}

static int
free_world(void **state)
{
    struct world *w = *state;

    batch_release(&w->batch);
    forms_release(&w->forms);
    db_close(w->db);
    free(w->conninfo);
    free(w);
    return 0;
}

/* Commits one op; the outcome stays readable until the next one. */
static const struct op *
commit(struct world *w, const struct op *op)
{
    struct err err = {0};

    batch_clear(&w->batch);
    *batch_add(&w->batch, op->kind) = *op;
    if (batch_commit(&w->batch, w->db->pg, &w->forms, &err) != 0)
        fail_msg("%s", err.text);
    return &w->batch.ops[0];
}

static void
lease(struct world *w, int64_t job, int64_t attempt)
{
    const struct op op = {.kind = OP_LEASE, .run = {job, attempt}, .worker = w->worker};

    assert_true(commit(w, &op)->done);
}

/* "disposition" of a result. */
static const char *
result(struct world *w, int64_t job, int64_t attempt, const char *outcome,
       const char *text, struct msg_artifact *artifact)
{
    static struct msg_point ca = {
        .name = "CA", .step = -1, .value = 61.5, .unit = "%", .goal = "max"};
    const struct msg m = {.type = MSG_RESULT,
                          .u.result = {.run = {job, attempt},
                                       .outcome = outcome,
                                       .text = text,
                                       .seconds = 2,
                                       .finals = &ca,
                                       .n_finals = 1,
                                       .artifacts = artifact,
                                       .n_artifacts = artifact != NULL}};
    const struct op op = {.kind = OP_RESULT, .run = {job, attempt}, .m = &m};

    return commit(w, &op)->disposition;
}

static void
lost(struct world *w, int64_t job, int64_t attempt, bool charged)
{
    const struct op op = {.kind = OP_LOST, .run = {job, attempt}, .charged = charged};

    commit(w, &op);
}

static void
sql_and_code_have_the_same_states(void **state)
{
    struct world *w = *state;
    struct pg_rows rows;
    struct err err;

    assert_int_equal(pg_query(w->db->pg, &rows,
                              "SELECT unnest(enum_range(NULL::job_state))", PG_NONE,
                              &err),
                     0);
    assert_int_equal(rows.n, JOB_STATE_COUNT);
    for (int i = 0; i < rows.n; i++)
        assert_string_equal(pg_text_at(&rows, i, 0), job_state_name((enum job_state)i));
    pg_rows_release(&rows);
}

static void
a_job_is_leased_once(void **state)
{
    struct world *w = *state;
    const struct op again = {.kind = OP_LEASE, .run = {1, 1}, .worker = w->worker};
    const struct op blocked = {.kind = OP_LEASE, .run = {2, 1}, .worker = w->worker};
    const struct op skips = {.kind = OP_LEASE, .run = {1, 3}, .worker = w->worker};

    lease(w, 1, 1);
    assert_non_null(strstr(w->batch.ops[0].spec, "\"teacher\""));
    assert_false(commit(w, &again)->done);
    assert_false(commit(w, &blocked)->done);
    lost(w, 1, 1, true);
    assert_false(commit(w, &skips)->done);
    lease(w, 1, 2);
}

static void
success_makes_children_ready_in_the_same_transaction(void **state)
{
    struct world *w = *state;

    lease(w, 1, 1);
    assert_string_equal(result(w, 1, 1, "ok", "", NULL), "committed");
    assert_int_equal(w->batch.ops[0].ready.n, 1);
    assert_int_equal(w->batch.ops[0].ready.items[0].id, 2);
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE id = 2 AND state ="
                                 " 'ready'"),
        1);
    assert_int_equal(db_fixture_number(
                         w->db, "SELECT count(*) FROM metric_final WHERE value = 61.5"),
                     1);
}

static void
a_repeated_result_is_a_duplicate(void **state)
{
    struct world *w = *state;

    lease(w, 1, 1);
    assert_string_equal(result(w, 1, 1, "ok", "", NULL), "committed");
    assert_string_equal(result(w, 1, 1, "ok", "", NULL), "duplicate");
    assert_string_equal(result(w, 1, 1, "sys", "no", NULL), "duplicate");
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM metric_final"), 1);
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE state = 'succeeded'"),
        1);
}

static void
a_result_after_its_lease_expired_is_fenced(void **state)
{
    struct world *w = *state;

    lease(w, 1, 1);
    lost(w, 1, 1, true);
    assert_string_equal(result(w, 1, 1, "ok", "", NULL), "fenced");
    lease(w, 1, 2);
    assert_string_equal(result(w, 1, 1, "ok", "", NULL), "fenced");
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE id = 1 AND attempt = 2"
                                 " AND state = 'leased'"),
        1);
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM metric_final"), 0);
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM event WHERE kind = 'fenced'"),
        2);
    assert_string_equal(result(w, 1, 2, "ok", "", NULL), "committed");
    assert_int_equal(db_fixture_number(w->db, "SELECT attempt FROM metric_final"), 2);
}

static void
metrics_are_taken_once_in_order_and_only_from_the_current_attempt(void **state)
{
    struct world *w = *state;
    struct msg_point p = {.name = "train/loss", .step = 1, .unit = "", .goal = "min"};
    struct msg m = {.type = MSG_METRICS,
                    .u.metrics = {.seq = 1, .points = &p, .n_points = 1}};
    struct op op = {.kind = OP_METRICS, .run = {1, 1}, .m = &m};

    lease(w, 1, 1);
    assert_string_equal(commit(w, &op)->disposition, "committed");
    assert_string_equal(commit(w, &op)->disposition, "duplicate");
    m.u.metrics.seq = 3; /* 2 was lost: it comes again first */
    assert_null(commit(w, &op)->disposition);
    m.u.metrics.seq = 2;
    assert_string_equal(commit(w, &op)->disposition, "committed");
    op.run.attempt = 2;
    assert_string_equal(commit(w, &op)->disposition, "fenced");
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM metric"), 2);
}

static void
a_result_without_its_blob_is_not_taken(void **state)
{
    struct world *w = *state;
    char sha[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct msg_artifact model = {.name = "model", .sha = sha, .size = 3};

    lease(w, 1, 1);
    assert_string_equal(result(w, 1, 1, "ok", "", &model), "missing");
    assert_string_equal(w->batch.ops[0].detail, sha);
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE state = 'leased'"), 1);
    db_fixture_script(w->db, "INSERT INTO blob (sha, size, received, stored) VALUES"
                             " (repeat('a', 64), 3, 3, true)");
    assert_string_equal(result(w, 1, 1, "ok", "", &model), "committed");
    lease(w, 2, 1);
    assert_int_equal(w->batch.ops[0].inputs.n, 1);
    assert_string_equal(w->batch.ops[0].inputs.items[0].stage, "teacher");
    assert_string_equal(w->batch.ops[0].inputs.items[0].sha, sha);
}

/* Announces a checkpoint of attempt 1 of job 1 whose blob is called by one digit. */
static const char *
checkpoint(struct world *w, char digit, int64_t step)
{
    char sha[65] = {0};
    const struct msg m = {.type = MSG_CHECKPOINT,
                          .u.checkpoint = {.step = step, .sha = sha}};
    const struct op op = {.kind = OP_CHECKPOINT, .run = {1, 1}, .m = &m};

    memset(sha, digit, 64);
    return commit(w, &op)->disposition;
}

static void
store_blobs(struct world *w)
{
    db_fixture_script(w->db, "INSERT INTO blob (sha, size, received, stored) SELECT"
                             " repeat(d, 64), 3, 3, true FROM unnest('{1,2,3}'::text[])"
                             " d");
}

static void
the_last_two_checkpoints_are_kept_until_the_job_is_done(void **state)
{
    struct world *w = *state;

    lease(w, 1, 1);
    assert_string_equal(checkpoint(w, '1', 10), "missing");
    store_blobs(w);
    assert_string_equal(checkpoint(w, '1', 10), "committed");
    assert_string_equal(checkpoint(w, '2', 20), "committed");
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM blob"), 3);
    assert_string_equal(checkpoint(w, '3', 30), "committed");
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM blob"), 2);
    assert_string_equal(checkpoint(w, '2', 20), "committed"); /* it came late */
    lost(w, 1, 1, true);
    lease(w, 1, 2);
    assert_int_equal(w->batch.ops[0].resume.step, 30);
    assert_int_equal(w->batch.ops[0].resume.sha[0], '3');
    assert_string_equal(checkpoint(w, '3', 40), "fenced");
    assert_string_equal(result(w, 1, 2, "ok", "", NULL), "committed");
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM blob"), 0);
}

static int64_t
count_events(struct world *w, const char *where)
{
    char *sql =
        xasprintf("SELECT count(*) FROM event WHERE kind = 'checkpoint' AND %s", where);
    const int64_t n = db_fixture_number(w->db, sql);

    free(sql);
    return n;
}

static void
a_checkpoint_that_cannot_be_used_gives_way_to_the_one_before(void **state)
{
    struct world *w = *state;

    lease(w, 1, 1);
    store_blobs(w);
    for (int i = 1; i <= 3; i++)
        assert_string_equal(checkpoint(w, (char)('0' + i), 10 * i), "committed");
    lost(w, 1, 1, true);
    lease(w, 1, 2);
    assert_string_equal(result(w, 1, 2, "checkpoint", "damaged", NULL), "committed");
    assert_int_equal(count_events(w, "detail LIKE '%30 cannot%from step 20'"), 1);
    lease(w, 1, 3);
    assert_int_equal(w->batch.ops[0].resume.step, 20);
    assert_string_equal(result(w, 1, 3, "checkpoint", "damaged", NULL), "committed");
    assert_int_equal(count_events(w, "detail LIKE '%20 cannot%from the beginning'"), 1);
    lease(w, 1, 4);
    assert_string_equal(w->batch.ops[0].resume.sha, "");
    assert_int_equal(db_fixture_number(w->db, "SELECT n_error FROM job WHERE id = 1"),
                     0);
    assert_string_equal(result(w, 1, 4, "checkpoint", "which?", NULL), "committed");
    assert_int_equal(db_fixture_number(w->db, "SELECT n_error FROM job WHERE id = 1"),
                     1);
}

static void
a_hopeless_failure_fails_the_chain_at_once(void **state)
{
    struct world *w = *state;

    lease(w, 1, 1);
    assert_string_equal(result(w, 1, 1, "numeric", "loss is NaN at step 7", NULL),
                        "committed");
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE state = 'failed'"), 1);
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM job WHERE state ="
                                              " 'upstream_failed' AND cause = 1"),
                     2);
}

static void
the_same_error_twice_ends_the_job_and_different_ones_have_more_tries(void **state)
{
    struct world *w = *state;

    lease(w, 1, 1);
    result(w, 1, 1, "sys", "disk full at 10", NULL);
    assert_int_equal(w->batch.ops[0].ready.n, 1);
    assert_true(w->batch.ops[0].ready.items[0].wait_ms >= 4000);
    lease(w, 1, 2);
    result(w, 1, 2, "sys", "another thing", NULL);
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE id = 1 AND state ="
                                 " 'ready' AND n_error = 2"),
        1);
    lease(w, 1, 3);
    result(w, 1, 3, "sys", "disk full at 999", NULL);
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE id = 1 AND state ="
                                 " 'failed'"),
        1);
}

static void
a_job_that_kills_three_workers_is_quarantined(void **state)
{
    struct world *w = *state;

    lease(w, 1, 1);
    lost(w, 1, 1, false); /* went down together with the coordinator: not counted */
    for (int64_t attempt = 2; attempt <= 4; attempt++) {
        lease(w, 1, attempt);
        lost(w, 1, attempt, true);
    }
    assert_int_equal(db_fixture_number(
                         w->db, "SELECT count(*) FROM job WHERE state = 'quarantined'"),
                     1);
    assert_int_equal(db_fixture_number(w->db, "SELECT count(*) FROM job WHERE state ="
                                              " 'upstream_failed'"),
                     2);
}

static void
handing_back_costs_nothing(void **state)
{
    struct world *w = *state;

    for (int64_t attempt = 1; attempt <= 6; attempt++) {
        const struct op back = {.kind = OP_RETURN, .run = {1, attempt}};
        lease(w, 1, attempt);
        assert_int_equal(commit(w, &back)->ready.n, 1);
        assert_int_equal(w->batch.ops[0].ready.items[0].wait_ms, 0);
    }
}

static void
a_cancelled_running_job_ends_as_cancelled(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.job = "1"};
    struct err err;
    int64_t count;

    lease(w, 1, 1);
    assert_int_equal(db_cancel(w->db, &sel, false, &count, &err), 0);
    result(w, 1, 1, "stopped", "asked to stop", NULL);
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE state = 'cancelled'"),
        1);
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM request WHERE done_at IS NULL"),
        0);
}

static void
a_bad_op_does_not_take_the_batch_with_it(void **state)
{
    struct world *w = *state;
    const struct msg bad = {.type = MSG_STARTED,
                            .u.started = {.run = {1, 1}, .provenance = "{not json"}};
    const struct msg good = {.type = MSG_RESULT,
                             .u.result = {.run = {1, 1}, .outcome = "ok", .text = ""}};
    struct err err;

    lease(w, 1, 1);
    batch_clear(&w->batch);
    *batch_add(&w->batch, OP_STARTED) =
        (struct op){.kind = OP_STARTED, .run = {1, 1}, .m = &bad};
    *batch_add(&w->batch, OP_RESULT) =
        (struct op){.kind = OP_RESULT, .run = {1, 1}, .m = &good};
    assert_int_equal(batch_commit(&w->batch, w->db->pg, &w->forms, &err), 0);
    assert_true(w->batch.ops[0].failed);
    assert_string_equal(w->batch.ops[1].disposition, "committed");
}

static void
a_result_that_cannot_be_stored_ends_the_attempt(void **state)
{
    struct world *w = *state;
    struct msg m = {.type = MSG_RESULT,
                    .u.result = {.run = {1, 1},
                                 .outcome = "ok",
                                 .text = "",
                                 .exit_code = INT64_MAX}}; /* not an int4 */
    const struct op op = {.kind = OP_RESULT, .run = {1, 1}, .m = &m};

    lease(w, 1, 1);
    assert_string_equal(commit(w, &op)->disposition, "committed");
    assert_int_equal(
        db_fixture_number(w->db, "SELECT count(*) FROM job WHERE state = 'failed'"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

static int64_t
lead(struct pg *pg, const char *who)
{
    struct err err = {0};
    char holder[64];
    int64_t epoch;

    if (leader_try(pg, who, &epoch, holder, sizeof holder, &err) != 0)
        fail_msg("%s", err.text);
    return epoch;
}

static void
a_deposed_coordinator_cannot_commit(void **state)
{
    struct world *w = *state;
    struct pg *other;
    struct err err = {0};

    assert_int_equal(pg_open(&other, w->conninfo, "other", &err), 0);
    const int64_t old = lead(w->db->pg, "first");
    assert_true(old > 0);
    assert_int_equal(lead(other, "second"), 0); /* it has to wait */
    assert_int_equal(leader_check(other, old, &err), 0);

    /* the first one's session ends while it still believes that it leads */
    *batch_add(&w->batch, OP_LEASE) =
        (struct op){.kind = OP_LEASE, .run = {1, 1}, .worker = w->worker};
    assert_int_equal(pg_query(other, NULL,
                              "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
                              " WHERE locktype = 'advisory' AND granted",
                              PG_NONE, &err),
                     0);
    assert_int_equal(lead(other, "second"), old + 1);
    assert_int_equal(batch_commit(&w->batch, w->db->pg, &w->forms, &err), -1);
    assert_false(w->batch.ops[0].done);
    assert_int_equal(
        pg_query(other, NULL,
                 "DO $$BEGIN ASSERT (SELECT state = 'ready' AND attempt = 0"
                 " FROM job WHERE id = 1); END$$",
                 PG_NONE, &err),
        0);
    assert_int_equal(leader_check(other, old, &err), -1); /* its other connections */
    assert_int_equal(err.kind, ERR_REFUSED);
    pg_close(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sql_and_code_have_the_same_states),
        TEST(a_job_is_leased_once),
        TEST(success_makes_children_ready_in_the_same_transaction),
        TEST(a_repeated_result_is_a_duplicate),
        TEST(a_result_after_its_lease_expired_is_fenced),
        TEST(metrics_are_taken_once_in_order_and_only_from_the_current_attempt),
        TEST(a_result_without_its_blob_is_not_taken),
        TEST(the_last_two_checkpoints_are_kept_until_the_job_is_done),
        TEST(a_checkpoint_that_cannot_be_used_gives_way_to_the_one_before),
        TEST(a_hopeless_failure_fails_the_chain_at_once),
        TEST(the_same_error_twice_ends_the_job_and_different_ones_have_more_tries),
        TEST(a_job_that_kills_three_workers_is_quarantined),
        TEST(handing_back_costs_nothing),
        TEST(a_cancelled_running_job_ends_as_cancelled),
        TEST(a_bad_op_does_not_take_the_batch_with_it),
        TEST(a_result_that_cannot_be_stored_ends_the_attempt),
        TEST(a_deposed_coordinator_cannot_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
