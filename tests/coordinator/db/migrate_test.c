/* The schema: applied once, refused when newer, explained in full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/db.h"
#include "coordinator/db/migrate.h"
#include "shared/base/mem.h"
#include "tests/support/pg_fixture.h"

static struct pg *
open_new(const char *name, char **conninfo)
{
    struct err err;
    struct pg *pg;

    *conninfo = pg_fixture_database(name);
    assert_int_equal(pg_open(&pg, *conninfo, "test", &err), 0);
    return pg;
}

static void
the_schema_is_applied_once(void **state)
{
    struct err err;
    char *conninfo;
    struct pg *pg = open_new("once", &conninfo);
    int64_t version;

    (void)state;
    assert_int_equal(migrate_version(pg, DB_SCHEMA_VERSION, &version, &err), 0);
    assert_int_equal(version, 0);
    assert_int_equal(migrate_apply(pg, &err), 0);
    assert_int_equal(migrate_apply(pg, &err), 0);
    assert_int_equal(migrate_version(pg, DB_SCHEMA_VERSION, &version, &err), 0);
    assert_int_equal(version, DB_SCHEMA_VERSION);
    assert_int_equal(migrations[n_migrations - 1].version, DB_SCHEMA_VERSION);
    pg_close(pg);
    free(conninfo);
}

static void
a_newer_schema_is_refused_with_both_versions(void **state)
{
    struct err err;
    char *conninfo;
    struct pg *pg = open_new("newer", &conninfo);
    struct db *db;

    (void)state;
    assert_int_equal(migrate_apply(pg, &err), 0);
    assert_int_equal(pg_script(pg,
                               "INSERT INTO schema_version (version, name, program)"
                               " VALUES (77, '077_future.sql', '9.0.0')",
                               &err),
                     0);
    assert_int_equal(db_open(&db, conninfo, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, "77"));
    char *knows = xasprintf("knows %d", DB_SCHEMA_VERSION);
    assert_non_null(strstr(err.text, knows));
    free(knows);
    assert_int_equal(migrate_apply(pg, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    pg_close(pg);
    free(conninfo);
}

static void
an_older_schema_is_refused_with_both_versions_and_what_to_run(void **state)
{
    struct err err;
    char *conninfo;
    struct pg *pg = open_new("behind", &conninfo);

    (void)state;
    assert_int_equal(migrate_apply(pg, &err), 0);
    assert_int_equal(migrate_check(pg, DB_SCHEMA_VERSION, &err), 0);
    assert_int_equal(migrate_check(pg, DB_SCHEMA_VERSION + 1, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    char *both = xasprintf("has schema version %d, ", DB_SCHEMA_VERSION);
    assert_non_null(strstr(err.text, both));
    free(both);
    both = xasprintf("needs %d;", DB_SCHEMA_VERSION + 1);
    assert_non_null(strstr(err.text, both));
    free(both);
    assert_non_null(strstr(err.text, "relusweep db migrate"));
    pg_close(pg);
    free(conninfo);
}

static void
every_table_and_column_has_a_comment(void **state)
{
    struct err err;
    char *conninfo;
    struct pg *pg = open_new("comments", &conninfo);
    struct pg_rows rows;

    (void)state;
    assert_int_equal(migrate_apply(pg, &err), 0);
    assert_int_equal(
        pg_query(pg, &rows,
                 "SELECT c.relname || '.' || coalesce(a.attname, '') FROM pg_class c"
                 " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
                 " AND NOT a.attisdropped"
                 " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
                 " AND (obj_description(c.oid) IS NULL OR"
                 "      col_description(c.oid, a.attnum) IS NULL)",
                 PG_NONE, &err),
        0);
    for (int i = 0; i < rows.n; i++)
        print_error("no comment: %s\n", pg_text_at(&rows, i, 0));
    assert_int_equal(rows.n, 0);
    pg_rows_release(&rows);
    pg_close(pg);
    free(conninfo);
}

static void
a_database_without_schema_says_what_to_run(void **state)
{
    struct err err;
    char *conninfo = pg_fixture_database("bare");
    struct db *db;
    json_t *doc;

    (void)state;
    assert_int_equal(db_open(&db, conninfo, &err), 0);
    assert_int_equal(db_status(db, 0, &doc, &err), -1);
    assert_int_equal(err.kind, ERR_DB);
    assert_non_null(strstr(err.text, "relusweep db migrate"));
    db_close(db);
    free(conninfo);
}

static void
a_server_that_is_not_there_is_named(void **state)
{
    struct err err;
    struct db *db;

    (void)state;
    assert_int_equal(db_open(&db, "host=/nonexistent dbname=x", &err), -1);
    assert_int_equal(err.kind, ERR_DB);
    assert_non_null(strstr(err.text, "/nonexistent"));
    assert_non_null(strstr(err.text, "--database"));
}

/* The tables of version 4 with a job, its child, and a cell of both. */
static const char old_rows[] =
    "INSERT INTO job_spec (digest, method, stage, spec) VALUES (repeat('a', 64), 'm',"
    " 'teacher', json '{\"inputs\":{},\"method\":\"m\",\"params\":{\"b\":\"5%\"},"
    "\"stage\":\"teacher\"}'), (repeat('b', 64), 'm', 'mask', ('{\"inputs\":{\"teacher\":"
    "\"' || repeat('a', 64) || '\"},\"method\":\"m\",\"params\":{},\"stage\":\"mask\"}')::json);"
    "CREATE TABLE old_spec AS SELECT job, digest, method, stage, spec::text FROM job_spec;"
    "INSERT INTO job (id) VALUES (1), (2);"
    "INSERT INTO job_dep VALUES (2, 1, 'teacher');"
    "INSERT INTO sweep (name, title, path, text, sets, axes, report, plan_digest)"
    " VALUES ('s', '', '', '', '', '[]', '{}', '');"
    "INSERT INTO cell (sweep, place, params, written) VALUES (1, 0, '{\"b\": 5, \"c\":"
    " 6}', '{\"b\": 5}');"
    "INSERT INTO cell_job VALUES (1, 0, 1), (1, 1, 2)";

static void
jobs_and_cells_of_an_older_schema_stay_what_they_were(void **state)
{
    struct err err = {0};
    char *conninfo;
    struct pg *pg = open_new("older", &conninfo);
    int64_t n;

    (void)state;
    for (size_t i = 0; i < n_migrations; i++) {
        if (migrations[i].version == 5)
            assert_int_equal(pg_script(pg, old_rows, &err), 0);
        if (pg_script(pg, "BEGIN", &err) != 0
            || pg_script(pg, migrations[i].sql, &err) != 0
            || pg_script(pg, "COMMIT", &err) != 0)
            fail_msg("%s: %s", migrations[i].name, err.text);
    }
    assert_int_equal(pg_number(pg, &n, NULL,
                               "SELECT count(*) FROM old_spec o JOIN job_spec s USING"
                               " (job, digest, method, stage) WHERE s.text = o.spec",
                               PG_NONE, &err),
                     0);
    assert_int_equal(n, 2);
    if (pg_number(
            pg, &n, NULL,
            "SELECT count(*) FROM cell c JOIN cell_def f ON f.id = c.id"
            " JOIN sweep_span k ON k.sweep = c.sweep CROSS JOIN job_dep d"
            " JOIN job_child x ON x.parent = d.parent AND x.child = d.child"
            " WHERE c.params = '{\"b\": 5, \"c\": 6}' AND c.written = '{\"b\": 5}'"
            " AND f.jobs = '{1,2}' AND d.parent = 1 AND d.input = 'teacher'",
            PG_NONE, &err)
        != 0)
        fail_msg("%s", err.text);
    assert_int_equal(n, 2); /* a span for each job */
    pg_close(pg);
    free(conninfo);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_is_applied_once),
        cmocka_unit_test(a_newer_schema_is_refused_with_both_versions),
        cmocka_unit_test(an_older_schema_is_refused_with_both_versions_and_what_to_run),
        cmocka_unit_test(every_table_and_column_has_a_comment),
        cmocka_unit_test(jobs_and_cells_of_an_older_schema_stay_what_they_were),
        cmocka_unit_test(a_database_without_schema_says_what_to_run),
        cmocka_unit_test(a_server_that_is_not_there_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
