/* What the page reads: changes, filters, and that it can only read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/handle.h"
#include "coordinator/db/webfacts.h"
#include "coordinator/db/webreads.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

struct world {
    struct db *writer, *reader;
    struct dag_fixture *fixture;
    int64_t sweep;
};

static int
make_world(void **state)
{
    static struct world w;
    char *conninfo;
    struct db_submitted out;
    struct err err = {0};

    w.writer = db_fixture_new("webreads", &conninfo);
    if (db_web_open(&w.reader, conninfo, &err) != 0)
        fail_msg("%s", err.text);
    w.fixture = dag_fixture_new("web", "text");
    for (int seed = 0; seed < 3; seed++)
        dag_fixture_add(w.fixture, seed, 10);
    assert_int_equal(db_submit(w.writer, &w.fixture->sweep, w.fixture->dag, &out, &err),
                     0);
    w.sweep = out.sweep;
    free(conninfo);
    *state = &w;
    return 0;
}

static int
free_world(void **state)
{
    struct world *w = *state;

    dag_fixture_free(w->fixture);
    db_close(w->writer);
    db_close(w->reader);
    return 0;
}

static void
the_server_refuses_every_write(void **state)
{
    static const char *const writes[] = {"INSERT INTO event (kind) VALUES ('x')",
                                         "UPDATE job SET priority = 1",
                                         "DELETE FROM cell_def",
                                         "CREATE TABLE mine (a int)",
                                         "TRUNCATE metric",
                                         "SELECT setval('event_id_seq', 5)"};
    struct world *w = *state;
    struct err err;

    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        assert_int_equal(pg_script(w->reader->pg, writes[i], &err), -1);
        assert_non_null(strstr(err.text, "read-only"));
    }
}

static void
a_moment_changes_with_a_commit_and_not_before(void **state)
{
    struct world *w = *state;
    struct buf a = {0}, b = {0}, c = {0};
    struct err err;

    assert_int_equal(db_web_moment(w->reader, &a, &err), 0);
    assert_int_equal(db_web_moment(w->reader, &b, &err), 0);
    assert_string_equal(buf_str(&a), buf_str(&b));
    db_fixture_script(w->writer, "UPDATE job SET priority = 1 WHERE id = 1");
    assert_int_equal(db_web_moment(w->reader, &c, &err), 0);
    assert_string_not_equal(buf_str(&a), buf_str(&c));
    buf_release(&a);
    buf_release(&b);
    buf_release(&c);
}

static void
changes_name_the_jobs_that_changed(void **state)
{
    struct world *w = *state;
    int64_t since = 0;
    struct err err;
    json_t *doc;

    assert_int_equal(db_web_changes(w->reader, &since, 5, &doc, &err), 0);
    assert_true(json_is_true(json_object_get(doc, "all")));
    json_decref(doc);
    db_fixture_script(w->writer, "UPDATE job SET priority = 2 WHERE id = 2");
    assert_int_equal(db_web_changes(w->reader, &since, 5, &doc, &err), 0);
    assert_int_equal(json_array_size(json_object_get(doc, "jobs")), 1);
    const json_t *job = json_array_get(json_object_get(doc, "jobs"), 0);
    assert_int_equal(json_integer_value(json_array_get(job, 0)), 2);
    assert_int_equal(json_array_size(json_object_get(doc, "sweeps")), 1);
    json_decref(doc);
    assert_int_equal(db_web_changes(w->reader, &since, 5, &doc, &err), 0);
    assert_int_equal(json_array_size(json_object_get(doc, "jobs")), 0);
    assert_false(json_is_true(json_object_get(doc, "all")));
    json_decref(doc);
}

static void
very_many_changes_are_one(void **state)
{
    struct world *w = *state;
    int64_t since = 0;
    struct err err;
    json_t *doc;

    assert_int_equal(db_web_changes(w->reader, &since, 5, &doc, &err), 0);
    json_decref(doc);
    db_fixture_script(w->writer, "UPDATE job SET priority = 3");
    assert_int_equal(db_web_changes(w->reader, &since, 5, &doc, &err), 0);
    assert_true(json_is_true(json_object_get(doc, "all")));
    assert_int_equal(json_array_size(json_object_get(doc, "jobs")), 0);
    json_decref(doc);
}

static size_t
count_jobs(struct world *w, struct db_web_filter f, int64_t after, int64_t limit)
{
    struct err err = {0};
    int64_t *ids;
    json_t *doc;
    size_t n;

    f.state = f.state ? f.state : "";
    f.stage = f.stage ? f.stage : "";
    f.cause = f.cause ? f.cause : "";
    if (db_web_ids(w->reader, &f, after, limit, &ids, &n, &err) != 0
        || db_web_jobs(w->reader, ids, n, &doc, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(json_array_size(json_object_get(doc, "jobs")), n);
    json_decref(doc);
    free(ids);
    return n;
}

static void
filters_choose_jobs(void **state)
{
    struct world *w = *state;
    const struct db_web_filter all = {.sweep = w->sweep};
    struct db_web_filter f = all;

    assert_int_equal(count_jobs(w, all, 0, 100), 9);
    assert_int_equal(count_jobs(w, all, 0, 4), 4);
    assert_int_equal(count_jobs(w, all, 7, 100), 2);
    f.stage = "teacher";
    assert_int_equal(count_jobs(w, f, 0, 100), 3);
    f.state = "blocked";
    assert_int_equal(count_jobs(w, f, 0, 100), 0);
    f.stage = f.state = NULL;
    db_fixture_script(w->writer,
                      "UPDATE job SET attempt = 1 WHERE id = 2;"
                      "INSERT INTO worker (boot, name, host, version, slots,"
                      " threads, connected) VALUES ('b', 'w', 'h', '0', 1, 1,"
                      " true); INSERT INTO attempt (job, attempt, worker,"
                      " outcome, fingerprint) SELECT 2, n, w.id, 'error', 'f'"
                      " || n FROM worker w, generate_series(1, 2) n");
    f.cause = "f1";
    assert_int_equal(count_jobs(w, f, 0, 100), 1);
    f.cause = "f2"; /* not of the newest attempt */
    assert_int_equal(count_jobs(w, f, 0, 100), 0);
    f.cause = NULL;
    f.sweep = 999;
    assert_int_equal(count_jobs(w, f, 0, 100), 0);
}

static void
jobs_of_a_filter_are_counted_by_state_and_listed(void **state)
{
    struct world *w = *state;
    struct db_web_filter f = {.sweep = w->sweep, .state = "", .stage = "", .cause = ""};
    int64_t *ids;
    struct err err;
    json_t *doc;
    size_t n;

    assert_int_equal(db_web_states(w->reader, &f, &doc, &err), 0);
    assert_int_equal(json_int(doc, "ready", 0), 3);
    assert_int_equal(json_int(doc, "blocked", 0), 6);
    json_decref(doc);
    f.stage = "mask";
    assert_int_equal(db_web_ids(w->reader, &f, 0, 99, &ids, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_true(ids[0] < ids[1] && ids[1] < ids[2]);
    f.chosen[f.n_chosen++] = ids[1];
    free(ids);
    assert_int_equal(db_web_ids(w->reader, &f, 0, 99, &ids, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], f.chosen[0]);
    free(ids);
}

static int64_t
held(struct world *w)
{
    return db_fixture_number(w->writer,
                             "SELECT count(*) FROM job WHERE state = 'held'");
}

static void
what_is_done_to_chosen_jobs_leaves_the_others_and_the_sweep_alone(void **state)
{
    struct world *w = *state;
    struct db_web_filter f = {
        .sweep = w->sweep, .state = "", .stage = "mask", .cause = ""};
    struct db_selection sel = {.sweep = w->sweep};
    struct err err;
    int64_t *ids, n;
    json_t *doc;

    assert_int_equal(db_web_ids(w->reader, &f, 0, 99, &ids, &sel.n_jobs, &err), 0);
    sel.jobs = ids;
    assert_int_equal(db_pause(w->writer, &sel, false, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_int_equal(held(w), 3);
    assert_int_equal(db_web_sweep_texts(w->reader, w->sweep, &doc, &err), 0);
    assert_true(json_is_null(json_object_get(doc, "paused")));
    json_decref(doc);
    assert_int_equal(db_resume(w->writer, &sel, &n, &err), 0);
    assert_int_equal(held(w), 0);
    sel.n_jobs = 0; /* none is not all */
    assert_int_equal(db_pause(w->writer, &sel, false, &n, &err), 0);
    assert_int_equal(held(w), 0);
    free(ids);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_refuses_every_write),
        cmocka_unit_test(a_moment_changes_with_a_commit_and_not_before),
        cmocka_unit_test(changes_name_the_jobs_that_changed),
        cmocka_unit_test(very_many_changes_are_one),
        cmocka_unit_test(filters_choose_jobs),
        cmocka_unit_test(jobs_of_a_filter_are_counted_by_state_and_listed),
        cmocka_unit_test(
            what_is_done_to_chosen_jobs_leaves_the_others_and_the_sweep_alone),
    };

    return cmocka_run_group_tests(tests, make_world, free_world);
}
