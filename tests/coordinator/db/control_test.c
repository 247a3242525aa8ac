/* Pause, resume, priority and limits as transactions, on shared and running jobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/policy.h"
#include "coordinator/db/rules.h"
#include "shared/base/mem.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

/* Jobs 1, 2, 3 are teacher, mask, finetune of sweep a; b shares the teacher: 4, 5. */
struct world {
    struct db *db;
    int64_t a, b;
};

static int64_t
submit(struct world *w, const char *name, int budget)
{
    struct dag_fixture *f = dag_fixture_new(name, "text");
    struct db_submitted out;
    struct err err = {0};

    dag_fixture_add(f, 0, budget);
    if (db_submit(w->db, &f->sweep, f->dag, &out, &err) != 0)
        fail_msg("%s", err.text);
    dag_fixture_free(f);
    return out.sweep;
}

static int
make_world(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);

    w->db = db_fixture_new("control", NULL);
    w->a = submit(w, "a", 10);
    w->b = submit(w, "b", 20);
    *state = w;
    return 0;
}

static int
free_world(void **state)
{
    struct world *w = *state;

    db_close(w->db);
    free(w);
    return 0;
}

/* States of all jobs, by their first two letters. */
static void
expect(struct world *w, const char *want)
{
    struct pg_rows rows;
    struct err err;

    assert_int_equal(pg_query(w->db->pg, &rows,
                              "SELECT string_agg(left(state::text, 2), ' ' ORDER BY id)"
                              " FROM job",
                              PG_NONE, &err),
                     0);
    assert_string_equal(pg_text_at(&rows, 0, 0), want);
    pg_rows_release(&rows);
}

static void
expect_why(struct world *w, const char *job, const char *part)
{
    json_t *doc;
    struct err err = {0};

    if (db_job(w->db, job, &doc, &err) != 0)
        fail_msg("%s", err.text);
    if (strstr(json_str(doc, "why", ""), part) == NULL)
        fail_msg("job %s: `%s` lacks `%s`", job, json_str(doc, "why", ""), part);
    json_decref(doc);
}

static int64_t
pause_all(struct world *w, int64_t sweep, bool running)
{
    const struct db_selection sel = {.sweep = sweep};
    struct err err = {0};
    int64_t count;

    if (db_pause(w->db, &sel, running, &count, &err) != 0)
        fail_msg("%s", err.text);
    return count;
}

static int64_t
resume(struct world *w, int64_t sweep)
{
    const struct db_selection sel = {.sweep = sweep};
    struct err err = {0};
    int64_t count;

    if (db_resume(w->db, &sel, &count, &err) != 0)
        fail_msg("%s", err.text);
    return count;
}

static void
a_pause_holds_what_no_other_sweep_wants(void **state)
{
    struct world *w = *state;

    assert_int_equal(pause_all(w, w->a, false), 2);
    expect(w, "re he he bl bl");
    expect_why(w, "2", "sweep a was paused by a person; `relusweep resume a`");
    assert_int_equal(pause_all(w, w->b, false), 3); /* nobody wants the teacher now */
    expect(w, "he he he he he");
    assert_int_equal(resume(w, w->b), 3);
    expect(w, "re he he bl bl");
    assert_int_equal(resume(w, w->a), 2);
    expect(w, "re bl bl bl bl");
}

static void
a_job_that_is_ready_when_it_is_held_is_ready_again(void **state)
{
    struct world *w = *state;

    db_fixture_script(w->db, "UPDATE job SET state = 'succeeded' WHERE id = 1;"
                             "UPDATE job SET state = 'ready' WHERE id = 2");
    pause_all(w, w->a, false);
    expect(w, "su he he bl bl");
    resume(w, w->a);
    expect(w, "su re bl bl bl");
}

static void
running_jobs_are_asked_only_when_that_is_wanted(void **state)
{
    struct world *w = *state;

    db_fixture_script(w->db,
                      "UPDATE job SET state = 'leased', attempt = 1 WHERE id = 2");
    assert_int_equal(pause_all(w, w->a, false), 1);
    db_fixture_script(w->db,
                      "DO $$BEGIN ASSERT NOT EXISTS (SELECT 1 FROM request); END$$");
    assert_int_equal(pause_all(w, w->a, true), 1);
    db_fixture_script(w->db,
                      "DO $$BEGIN ASSERT (SELECT kind = 'hold' AND done_at IS NULL"
                      " FROM request WHERE job = 2); END$$");
    expect_why(w, "2", "told to stop until it is resumed");
    resume(w, w->a);
    db_fixture_script(
        w->db, "DO $$BEGIN ASSERT (SELECT done_at IS NOT NULL FROM request); END$$");
}

static void
what_fails_in_a_paused_sweep_is_held_not_tried_again(void **state)
{
    struct world *w = *state;
    struct job_counts counts;
    struct err err;

    assert_int_equal(jobs_counts(w->db->pg, 2, "", &counts, &err), 0);
    assert_false(counts.hold);
    pause_all(w, w->a, false);
    assert_int_equal(jobs_counts(w->db->pg, 2, "", &counts, &err), 0);
    assert_true(counts.hold);
    assert_int_equal(jobs_counts(w->db->pg, 1, "", &counts, &err), 0);
    assert_false(counts.hold); /* b wants it */
}

static void
a_paused_sweep_that_is_submitted_again_stays_paused(void **state)
{
    struct world *w = *state;

    pause_all(w, w->a, false);
    assert_int_equal(submit(w, "a", 30), w->a);
    db_fixture_script(
        w->db, "DO $$BEGIN ASSERT (SELECT count(*) = 2 FROM job WHERE state = 'held'"
               " AND id > 5); END$$");
    resume(w, w->a);
    db_fixture_script(
        w->db, "DO $$BEGIN ASSERT NOT EXISTS (SELECT 1 FROM job WHERE state = 'held'"
               " AND id > 5); END$$");
}

static int64_t
rank_of(const struct job_ready_list *list, int64_t job)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].id == job)
            return list->items[i].rank;
    fail_msg("job %d is not ready", (int)job);
    return 0;
}

static void
a_higher_priority_comes_first(void **state)
{
    struct world *w = *state;
    const struct db_selection sel = {.sweep = w->b};
    struct job_ready_list list = {0};
    struct err err;
    int64_t count;

    db_fixture_script(w->db, "UPDATE job SET state = 'ready'");
    assert_int_equal(db_priority(w->db, &sel, 5, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(jobs_load_ready(w->db->pg, &list, &err), 0);
    assert_int_equal(list.n, 5);
    assert_true(rank_of(&list, 4) > rank_of(&list, 2)); /* b's mask before a's */
    assert_true(rank_of(&list, 1) > rank_of(&list, 4)); /* teacher before mask */
    assert_true(rank_of(&list, 2) > rank_of(&list, 3)); /* mask before finetune */
    free(list.items);
}

static void
set_limit(struct world *w, struct db_limit limit)
{
    struct err err = {0};

    if (limit.stage == NULL)
        limit.stage = "";
    limit.label = "";
    if (db_limit(w->db, &limit, &err) != 0)
        fail_msg("%s", err.text);
}

/* Number of limits that count a job. */
static int64_t
limits_of(struct world *w, int64_t job)
{
    struct err err;
    int64_t n;

    assert_int_equal(
        pg_number(w->db->pg, &n, NULL,
                  "SELECT cardinality(k.limits) FROM job j JOIN job_class k"
                  " ON k.id = j.class WHERE j.id = $1",
                  PG_ARGS(PG_INT(job)), &err),
        0);
    return n;
}

static void
limits_count_the_jobs_that_they_are_about(void **state)
{
    struct world *w = *state;
    struct rules rules;
    struct err err;

    set_limit(w, (struct db_limit){.stage = "mask", .most = 1});
    set_limit(w, (struct db_limit){.sweep = w->a, .most = 4});
    assert_int_equal(limits_of(w, 1), 1); /* of a */
    assert_int_equal(limits_of(w, 2), 2);
    assert_int_equal(limits_of(w, 3), 1);
    assert_int_equal(limits_of(w, 4), 1); /* a mask */
    assert_int_equal(limits_of(w, 5), 0);
    assert_int_equal(rules_load(w->db->pg, &rules, &err), 0);
    assert_int_equal(rules.n_limits, 2);
    rules_release(&rules);

    set_limit(w, (struct db_limit){.stage = "mask", .most = -1});
    set_limit(w, (struct db_limit){.sweep = w->a, .most = -1});
    assert_int_equal(limits_of(w, 2), 0);
}

static void
explain_names_the_limit_and_the_missing_worker(void **state)
{
    struct world *w = *state;

    expect_why(w, "1", "no worker is connected");
    db_fixture_script(
        w->db,
        "INSERT INTO worker (boot, name, host, version, slots, threads, connected)"
        " VALUES ('b', 'w', 'h', '0.1.0', 1, 1, true)");
    expect_why(w, "1", "0 jobs are before it");
    set_limit(w, (struct db_limit){.stage = "teacher", .most = 0});
    expect_why(w, "1", "waits for a limit: at most 0 jobs of stage teacher");
    set_limit(w, (struct db_limit){.stage = "teacher", .most = 1});
    json_t *terms = json_pack("{s:{s:I}}", "teacher", "memory_bytes", (json_int_t)1000);
    struct err err;
    db_fixture_script(w->db, "BEGIN");
    assert_int_equal(rules_classify(w->db->pg, w->a, terms, &err), 0);
    db_fixture_script(w->db, "COMMIT");
    json_decref(terms);
    expect_why(w, "1", "needs {\"memory_bytes\": 1000}, and none of the 1 connected");
    db_fixture_script(
        w->db,
        "UPDATE worker SET memory_bytes = 1000;"
        "INSERT INTO host_rest VALUES ('h', now() + interval '1 h', 'it is ill')");
    expect_why(w, "1", "waits because h rests: it is ill");
}

/* An attempt of a job on a host that ended so. */
static void
attempt(struct world *w, int job, int number, const char *host, const char *outcome)
{
    char *sql = xasprintf(
        "INSERT INTO worker (boot, name, host, version, slots, threads, connected)"
        " VALUES ('%s', 'w', '%s', '0.1.0', 1, 1, true) ON CONFLICT DO NOTHING;"
        "INSERT INTO attempt (job, attempt, worker, ended_at, outcome, fingerprint)"
        " SELECT %d, %d, id, now(), '%s', nullif('%s', 'ok') FROM worker"
        "  WHERE boot = '%s';"
        "UPDATE job SET attempt = %d, worker = (SELECT id FROM worker WHERE boot = '%s')"
        " WHERE id = %d",
        host, host, job, number, outcome, outcome, host, number, host, job);

    db_fixture_script(w->db, sql);
    free(sql);
}

static bool
is_blamed(struct world *w, int job)
{
    struct err err = {0};
    bool rests;

    if (policy_blame_host(w->db->pg, job, "disk", &rests, &err) != 0)
        fail_msg("%s", err.text);
    return rests;
}

static void
a_host_rests_when_others_can_do_what_fails_on_it(void **state)
{
    struct world *w = *state;

    attempt(w, 1, 1, "ill", "disk");
    attempt(w, 2, 1, "ill", "disk");
    attempt(w, 3, 1, "ill", "disk");
    assert_false(is_blamed(w, 3)); /* it may be the jobs */
    attempt(w, 1, 2, "well", "ok");
    assert_true(is_blamed(w, 3));
    attempt(w, 5, 1, "well", "disk"); /* it happens elsewhere too */
    assert_false(is_blamed(w, 3));
}

static void
two_failures_are_too_few_to_blame_a_host(void **state)
{
    struct world *w = *state;

    attempt(w, 1, 1, "ill", "disk");
    attempt(w, 2, 1, "ill", "disk");
    attempt(w, 2, 2, "ill", "disk");
    attempt(w, 1, 2, "well", "ok");
    assert_false(is_blamed(w, 2));
}

static bool
stops(struct world *w, int job)
{
    struct err err = {0};
    bool stopped;

    if (pg_begin(w->db->pg, &err) != 0
        || policy_stop_sweeps(w->db->pg, job, &stopped, &err) != 0
        || pg_commit(w->db->pg, &err) != 0)
        fail_msg("%s", err.text);
    return stopped;
}

static void
a_sweep_stops_as_its_file_says(void **state)
{
    struct world *w = *state;

    db_fixture_script(w->db,
                      "UPDATE job SET state = 'succeeded', attempt = 1 WHERE id = 1;"
                      "UPDATE job SET state = 'failed', attempt = 1 WHERE id = 2");
    assert_false(stops(w, 2)); /* nothing was said */
    db_fixture_script(
        w->db, "UPDATE sweep SET on_failure = '{\"failed\": 1, \"percent\": 60}'");
    assert_false(stops(w, 2)); /* 1 of 2 began */
    db_fixture_script(
        w->db, "UPDATE sweep SET on_failure = '{\"failed\": 1, \"percent\": 50}'");
    assert_true(stops(w, 2));
    expect(w, "su fa he bl bl");
    expect_why(w, "3", "sweep a was paused because job 2 failed (on_failure)");
    assert_false(stops(w, 2)); /* once */
}

static void
the_file_s_retries_are_those_of_its_unfinished_jobs(void **state)
{
    struct world *w = *state;
    json_t *policy =
        json_pack("{s:{s:{s:i, s:i}, s:{s:i}}}", "terms", "all", "retries_error", 5,
                  "retries_lost", 0, "mask", "retries_error", 1);
    struct job_counts teacher, mask;
    struct err err = {0};

    assert_int_equal(jobs_counts(w->db->pg, 1, "", &teacher, &err), 0);
    assert_int_equal(teacher.own_error, -1);
    db_fixture_script(w->db, "BEGIN");
    if (policy_apply(w->db->pg, w->a, policy, &err) != 0)
        fail_msg("%s", err.text);
    db_fixture_script(w->db, "COMMIT");
    json_decref(policy);
    assert_int_equal(jobs_counts(w->db->pg, 1, "", &teacher, &err), 0);
    assert_int_equal(jobs_counts(w->db->pg, 2, "", &mask, &err), 0);
    assert_int_equal(teacher.own_error, 5);
    assert_int_equal(teacher.own_lost, 0);
    assert_int_equal(teacher.own_oom, -1);
    assert_int_equal(mask.own_error, 1);
    assert_int_equal(mask.own_lost, 0);
}

static void
the_file_s_policy_reaches_the_tables(void **state)
{
    struct world *w = *state;
    json_t *policy =
        json_pack("{s:[{s:s, s:s, s:i}], s:{s:{s:i}}, s:{s:i, s:i}}", "limits", "stage",
                  "mask", "label", "", "most", 1, "terms", "all", "timeout_s", 9,
                  "on_failure", "failed", 1, "percent", 0);
    struct rules rules;
    struct err err = {0};

    for (int twice = 0; twice < 2; twice++) {
        db_fixture_script(w->db, "BEGIN");
        if (policy_apply(w->db->pg, w->a, policy, &err) != 0)
            fail_msg("%s", err.text);
        db_fixture_script(w->db, "COMMIT");
    }
    json_decref(policy);
    assert_int_equal(limits_of(w, 2), 1);
    assert_int_equal(limits_of(w, 3), 0);
    assert_int_equal(rules_load(w->db->pg, &rules, &err), 0);
    assert_int_equal(rules.n_limits, 1);
    assert_int_equal(rules.classes[rules.n_classes - 1].timeout_s, 9);
    rules_release(&rules);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)
        TEST(a_pause_holds_what_no_other_sweep_wants),
        TEST(a_job_that_is_ready_when_it_is_held_is_ready_again),
        TEST(running_jobs_are_asked_only_when_that_is_wanted),
        TEST(what_fails_in_a_paused_sweep_is_held_not_tried_again),
        TEST(a_paused_sweep_that_is_submitted_again_stays_paused),
        TEST(a_higher_priority_comes_first),
        TEST(limits_count_the_jobs_that_they_are_about),
        TEST(explain_names_the_limit_and_the_missing_worker),
        TEST(a_host_rests_when_others_can_do_what_fails_on_it),
        TEST(two_failures_are_too_few_to_blame_a_host),
        TEST(a_sweep_stops_as_its_file_says),
        TEST(the_file_s_retries_are_those_of_its_unfinished_jobs),
        TEST(the_file_s_policy_reaches_the_tables),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
