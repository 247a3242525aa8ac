/* `db check`: silent about a sound queue, and not about each kind of damage. */
#include "coordinator/db/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/json.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

/* Jobs 1, 2, 3 are teacher, mask, finetune of one cell, 4 and 5 mask and finetune of
 * another one. The teacher is done, 2 runs for the second time, 4 is ready. */
static const char sound[] =
    "TRUNCATE attempt, metric, metric_final, artifact, checkpoint_head, progress,"
    " blob, blob_chunk, worker RESTART IDENTITY CASCADE;"
    "INSERT INTO worker (boot, name, host, version, slots, threads, connected)"
    " VALUES ('b', 'w', 'h', '0', 1, 1, true);"
    "INSERT INTO blob (sha, size, stored) VALUES ('aa', 2, true), ('bb', 9, false);"
    "INSERT INTO blob_chunk (blob, place, data) VALUES (1, 0, 'xy');"
    "UPDATE job SET state = 'blocked', attempt = 0, class = 0, cause = NULL;"
    "UPDATE job SET state = 'succeeded', attempt = 1, worker = 1, leased_at = now()"
    " WHERE id = 1;"
    "UPDATE job SET state = 'leased', attempt = 2, worker = 1, leased_at = now()"
    " WHERE id = 2;"
    "UPDATE job SET state = 'ready' WHERE id = 4;"
    "INSERT INTO attempt (job, attempt, worker, leased_at, ended_at, outcome, metric_seq)"
    " VALUES (1, 1, 1, now() - interval '9 s', now(), 'ok', 1),"
    "  (2, 1, 1, now() - interval '9 s', now() - interval '5 s', 'lost', 0),"
    "  (2, 2, 1, now(), NULL, NULL, 0);"
    "INSERT INTO metric_key (name, unit, goal) VALUES ('CA', '%', 'max')"
    " ON CONFLICT DO NOTHING;"
    "INSERT INTO metric (job, attempt, seq, key, step, value)"
    " SELECT 1, 1, 1, id, 5, 0.5 FROM metric_key LIMIT 1;"
    "INSERT INTO metric_final (job, attempt, key, value)"
    " SELECT 1, 1, id, 0.5 FROM metric_key LIMIT 1;"
    "INSERT INTO artifact (job, attempt, name, blob) VALUES (1, 1, 'model', 1);"
    "INSERT INTO checkpoint_head (job, attempt, step, blob) VALUES (2, 1, 7, 1)";

static int
make_db(void **state)
{
    struct db *db = db_fixture_new("check", NULL);
    struct dag_fixture *f = dag_fixture_new("a", "text");
    struct db_submitted out;
    struct err err = {0};

    dag_fixture_add(f, 0, 10);
    dag_fixture_add(f, 0, 20);
    if (db_submit(db, &f->sweep, f->dag, &out, &err) != 0)
        fail_msg("%s", err.text);
    dag_fixture_free(f);
    *state = db;
    return 0;
}

static int
free_db(void **state)
{
    db_close(*state);
    return 0;
}

/* Names of what is broken, with signs between. Caller frees. */
static char *
broken(struct db *db)
{
    struct buf names = {0};
    struct err err = {0};
    const json_t *check;
    json_t *doc;
    size_t i;

    if (db_check(db, false, &doc, &err) != 0)
        fail_msg("%s", err.text);
    json_array_foreach(json_object_get(doc, "checks"), i, check)
    {
        if (json_int(check, "found", -1) == 0)
            continue;
        assert_true(json_array_size(json_object_get(check, "rows")) >= 1);
        buf_printf(&names, "%s|", json_str(check, "name", ""));
    }
    assert_int_equal(json_int(doc, "found", -1) == 0, names.len == 0);
    json_decref(doc);
    return buf_take(&names);
}

static void
a_sound_queue_passes_in_every_state(void **state)
{
    struct db *db = *state;

    char *fresh = broken(db);
    assert_string_equal(fresh, "");
    free(fresh);
    db_fixture_script(db, sound);
    char *busy = broken(db);
    assert_string_equal(busy, "");
    free(busy);
}

static void
every_kind_of_damage_is_found(void **state)
{
    static const struct {
        const char *damage, *name;
    } cases[] = {
        {"UPDATE attempt SET outcome = 'ok' WHERE job = 2 AND attempt = 1;"
         "UPDATE attempt SET outcome = 'ok', ended_at = now() WHERE job = 2",
         "a job succeeds once"},
        {"UPDATE attempt SET outcome = 'sys' WHERE job = 1",
         "a job has succeeded when"},
        {"UPDATE attempt SET ended_at = NULL WHERE job = 2 AND attempt = 1",
         "only the newest attempt"},
        {"UPDATE job SET attempt = 4 WHERE id = 2", "without gaps"},
        {"UPDATE attempt SET ended_at = now() + interval '1 s' WHERE outcome = 'lost'",
         "do not overlap"},
        {"UPDATE job SET worker = 99 WHERE id = 2", "has a worker"},
        {"UPDATE job SET state = 'ready' WHERE id = 3", "parents are done"},
        {"UPDATE job SET state = 'blocked' WHERE id = 4", "that can happen"},
        {"UPDATE job SET state = 'failed' WHERE id = 4", "that can happen"},
        {"UPDATE job SET state = 'upstream_failed', cause = 4 WHERE id = 5",
         "one that ended badly"},
        {"UPDATE metric_final SET attempt = 2", "final metrics and artifacts"},
        {"UPDATE blob_chunk SET data = 'x'", "stored bytes are whole"},
        {"UPDATE artifact SET blob = 2", "artifacts and checkpoints are stored"},
        {"INSERT INTO checkpoint_head (job, attempt, step, blob) VALUES (1, 1, 7, 1)",
         "no checkpoint"},
        {"INSERT INTO metric SELECT * FROM metric", "point of a curve"},
        {"UPDATE attempt SET metric_seq = 0", "point of a curve"},
        {"UPDATE job SET class = 77 WHERE id = 3", "every job has a class"},
    };
    struct db *db = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        db_fixture_script(db, sound);
        db_fixture_script(db, cases[i].damage);
        char *names = broken(db);
        if (strstr(names, cases[i].name) == NULL)
            fail_msg("%s: found `%s`, not `%s`", cases[i].damage, names, cases[i].name);
        free(names);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sound_queue_passes_in_every_state, make_db,
                                        free_db),
        cmocka_unit_test_setup_teardown(every_kind_of_damage_is_found, make_db,
                                        free_db),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
