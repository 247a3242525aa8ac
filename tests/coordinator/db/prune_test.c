/* What is deleted when it is old, and what never is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/db/handle.h"
#include "coordinator/db/prune.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

/* Three jobs with a curve, a log, a final metric and events: the first ended long ago,
 * the second yesterday, the third runs since long ago. */
static const char rows[] =
    "INSERT INTO worker (boot, name, host, version, slots, threads, connected)"
    " VALUES ('w', 'w', 'h', '0', 1, 1, true);"
    "UPDATE job SET attempt = 1, worker = 1, leased_at = now(), state ="
    " CASE WHEN id < 3 THEN 'succeeded' ELSE 'leased' END::job_state;"
    "INSERT INTO attempt (job, attempt, worker, started_at, ended_at, outcome)"
    " SELECT id, 1, 1, now() - interval '99 days', CASE id WHEN 1 THEN now() -"
    " interval '98 days' WHEN 2 THEN now() - interval '1 day' END,"
    " CASE WHEN id < 3 THEN 'ok' END FROM job;"
    "INSERT INTO metric_key (name, unit, goal) VALUES ('loss', '', 'min');"
    "INSERT INTO metric SELECT id, 1, 1, 1, s, 0.5 FROM job, generate_series(1, 700) s;"
    "INSERT INTO metric_final SELECT id, 1, 1, 0.5 FROM job;"
    "INSERT INTO log_chunk SELECT id, 1, 10 * s, 'text' FROM job,"
    " generate_series(0, 4) s;"
    "INSERT INTO event (job, kind, at) SELECT id, 'lost', now() - interval '97 days'"
    " FROM job;";

static void
only_old_curves_logs_and_events_are_deleted(void **state)
{
    struct db *db = db_fixture_new("prune", NULL);
    struct dag_fixture *f = dag_fixture_new("a", "text");
    struct db_submitted submitted;
    struct db_pruned out;
    struct err err = {0};

    (void)state;
    dag_fixture_add(f, 0, 10);
    assert_int_equal(db_submit(db, &f->sweep, f->dag, &submitted, &err), 0);
    db_fixture_script(db, rows);
    const int64_t events = db_fixture_number(db, "SELECT count(*) FROM event");
    if (db_prune(db, 30, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.points, 700);
    assert_int_equal(out.logs, 5);
    assert_int_equal(out.events, 3);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM event"), events - 3);
    assert_int_equal(db_fixture_number(db, "SELECT count(DISTINCT job) FROM metric"),
                     2);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM metric_final"), 3);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM attempt"), 3);
    assert_int_equal(db_prune(db, 30, &out, &err), 0);
    assert_int_equal(out.points + out.logs + out.events, 0);
    dag_fixture_free(f);
    db_close(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_old_curves_logs_and_events_are_deleted)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
