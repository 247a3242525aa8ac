/* What the page reads: changes, filters, and that it can only read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/handle.h"
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
    json_t *doc;

    f.state = f.state ? f.state : "";
    f.stage = f.stage ? f.stage : "";
    if (db_web_jobs(w->reader, &f, after, limit, &doc, &err) != 0)
        fail_msg("%s", err.text);
    const size_t n = json_array_size(json_object_get(doc, "jobs"));
    json_decref(doc);
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
    f.sweep = 999;
    f.stage = f.state = NULL;
    assert_int_equal(count_jobs(w, f, 0, 100), 0);
}

static void
a_sweep_is_counted_by_stage_and_state(void **state)
{
    struct world *w = *state;
    struct err err;
    json_t *doc;

    assert_int_equal(db_web_sweep(w->reader, w->sweep, &doc, &err), 0);
    const json_t *stages = json_object_get(doc, "stages");
    assert_int_equal(json_array_size(stages), 3);
    assert_string_equal(json_str(json_array_get(stages, 0), "stage", ""), "teacher");
    assert_int_equal(json_int(json_object_get(doc, "jobs"), "ready", 0), 3);
    assert_int_equal(json_int(json_object_get(doc, "jobs"), "blocked", 0), 6);
    json_decref(doc);
    assert_int_equal(db_web_sweep(w->reader, 999, &doc, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
}

static void
an_action_says_how_many_it_would_change(void **state)
{
    struct world *w = *state;
    const struct db_web_filter f = {.sweep = w->sweep, .state = "", .stage = ""};
    struct err err;
    json_t *doc;

    assert_int_equal(db_web_actions(w->reader, &f, 0, "cancel", &doc, &err), 0);
    assert_int_equal(json_int(doc, "matching", 0), 9);
    assert_int_equal(json_int(doc, "count", 0), 9);
    json_decref(doc);
    assert_int_equal(db_web_actions(w->reader, &f, 0, "retry", &doc, &err), 0);
    assert_int_equal(json_int(doc, "count", -1), 0);
    json_decref(doc);
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
        cmocka_unit_test(a_sweep_is_counted_by_stage_and_state),
        cmocka_unit_test(an_action_says_how_many_it_would_change),
    };

    return cmocka_run_group_tests(tests, make_world, free_world);
}
