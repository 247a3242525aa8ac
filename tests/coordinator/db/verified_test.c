/* Re-runs beside what they do again. */
#include "coordinator/db/verified.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/sweep/repeat.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

/* Jobs 1, 2, 3 are teacher, mask and finetune, and 4, 5, 6 do them again. */
static int
make_db(void **state)
{
    struct db *db = db_fixture_new("verified", NULL);
    struct dag_fixture *f = dag_fixture_new("a", "text");
    struct db_submitted out;
    struct err err = {0};

    dag_fixture_add(f, 0, 10);
    repeat_add(f->dag, 100);
    if (db_submit(db, &f->sweep, f->dag, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.jobs, 6);
    dag_fixture_free(f);
    db_fixture_script(
        db,
        "INSERT INTO worker (boot, name, host, version, slots, threads, connected)"
        " VALUES ('b', 'w', 'h', '0', 1, 1, true), ('c', 'v', 'g', '0', 1, 1, true);"
        "UPDATE job SET state = 'succeeded', attempt = 1, worker = 1 + (id > 3)::int"
        " WHERE id IN (1, 2, 4, 5);"
        "INSERT INTO metric_key (name, unit, goal) VALUES ('CA', '%', 'max'),"
        " ('rate', 'images/s', 'max'), ('mCE', '%', 'min'),"
        " ('NPA', '%', 'max');"
        "INSERT INTO metric_final (job, attempt, key, value) VALUES"
        " (1, 1, 1, 91.5), (4, 1, 1, 91.5), (1, 1, 2, 10), (4, 1, 2, 11),"
        " (2, 1, 1, 0), (5, 1, 1, '-0'), (2, 1, 3, 7.5), (5, 1, 3, 7.25),"
        " (2, 1, 4, 50), (5, 1, 4, 50.1);"
        "INSERT INTO attempt (job, attempt, worker, leased_at, provenance) VALUES"
        " (1, 1, 1, now(), '{\"engine\": \"avx2\"}'),"
        " (4, 1, 2, now(), '{\"engine\": \"avx512\"}'),"
        " (2, 1, 1, now(), '{\"engine\": \"avx2\"}'),"
        " (5, 1, 2, now(), '{\"engine\": \"avx2\"}')");
    *state = db;
    return 0;
}

static int
free_db(void **state)
{
    db_close(*state);
    return 0;
}

static void
re_runs_are_compared_bit_for_bit(void **state)
{
    struct err err = {0};
    json_t *pairs;

    if (db_verified(*state, 1, &pairs, &err) != 0)
        fail_msg("%s", err.text);
    char *text = json_dumps(pairs, JSON_COMPACT);
    assert_string_equal(text,
                        "[{\"job\":1,\"repeat\":4,\"stage\":\"teacher\",\"done\":true,"
                        "\"metrics\":1,\"equal\":1,\"near\":1,\"foreign\":true,"
                        "\"tolerance\":0.01,\"workers\":[\"w\",\"v\"],"
                        "\"hosts\":[\"h\",\"g\"],\"worst\":null},"
                        "{\"job\":2,\"repeat\":5,\"stage\":\"mask\",\"done\":true,"
                        "\"metrics\":3,\"equal\":0,\"near\":2,\"foreign\":false,"
                        "\"tolerance\":0.01,\"workers\":[\"w\",\"v\"],"
                        "\"hosts\":[\"h\",\"g\"],\"worst\":{\"name\":\"mCE\","
                        "\"values\":[7.5,7.25]}},"
                        "{\"job\":3,\"repeat\":6,\"stage\":\"finetune\",\"done\":false,"
                        "\"metrics\":0,\"equal\":0,\"near\":0,\"foreign\":false,"
                        "\"tolerance\":0.01,\"workers\":[null,null],"
                        "\"hosts\":[null,null],\"worst\":null}]");
    free(text);
    json_decref(pairs);
}

static void
re_runs_belong_to_the_sweep_and_to_no_cell(void **state)
{
    assert_int_equal(
        db_fixture_number(*state, "SELECT count(*) FROM cell_job WHERE job > 3"), 0);
    assert_int_equal(db_fixture_number(*state,
                                       "SELECT count(*) FROM job j, sweep_span s"
                                       " WHERE s.jobs @> j.id"),
                     6);
    assert_int_equal(db_fixture_number(*state,
                                       "SELECT count(*) FROM job_dep WHERE child = 6"
                                       " AND parent = 2"),
                     1);
    assert_int_equal(
        db_fixture_number(*state, "SELECT count(*) FROM job WHERE place = id - 3"), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(re_runs_are_compared_bit_for_bit, make_db,
                                        free_db),
        cmocka_unit_test_setup_teardown(re_runs_belong_to_the_sweep_and_to_no_cell,
                                        make_db, free_db),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
