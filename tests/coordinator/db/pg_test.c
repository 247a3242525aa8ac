/* Statements that travel together, and values in the server's binary form. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/pg.h"
#include "tests/support/pg_fixture.h"

static int
open_pg(void **state)
{
    static int n;
    char name[16];
    struct err err;

    snprintf(name, sizeof name, "pg%d", n++);
    char *conninfo = pg_fixture_database(name);

    assert_int_equal(pg_open((struct pg **)state, conninfo, "test", &err), 0);
    free(conninfo);
    return 0;
}

static int
close_pg(void **state)
{
    pg_close(*state);
    return 0;
}

static int64_t
number(struct pg *pg, const char *sql)
{
    struct err err = {0};
    int64_t n = -1;

    if (pg_number(pg, &n, NULL, sql, PG_NONE, &err) != 0)
        fail_msg("%s", err.text);
    return n;
}

static void
arrays_arrive_as_they_are(void **state)
{
    const int64_t ints[] = {1, -2, INT64_MAX};
    const double reals[] = {0.1, NAN, -INFINITY};
    const char *texts[] = {"a\"b\\", NULL, ""};
    struct pg_rows rows;
    struct err err = {0};

    if (pg_query(*state, &rows,
                 "SELECT $1::bigint[]::text, $2::float8[]::text, $3::text[]::text,"
                 " cardinality($4::bigint[])",
                 PG_ARGS(PG_INTS(ints, 3), PG_REALS(reals, 3), PG_TEXTS(texts, 3),
                         PG_INTS(ints, 0)),
                 &err)
        != 0)
        fail_msg("%s", err.text);
    assert_string_equal(pg_text_at(&rows, 0, 0), "{1,-2,9223372036854775807}");
    assert_string_equal(pg_text_at(&rows, 0, 1), "{0.1,NaN,-Infinity}");
    assert_string_equal(pg_text_at(&rows, 0, 2), "{\"a\\\"b\\\\\",NULL,\"\"}");
    assert_int_equal(pg_int_at(&rows, 0, 3), 0);
    pg_rows_release(&rows);
}

static void
answers_come_in_the_order_of_the_statements(void **state)
{
    struct pg *pg = *state;
    struct pg_rows rows;
    struct err err;

    for (int round = 0; round < 2; round++) { /* the second time they are planned */
        for (int64_t i = 0; i < 3; i++)
            assert_int_equal(
                pg_send(pg, i == 1 ? "SELECT 10 * $1::bigint" : "SELECT $1::bigint",
                        PG_ARGS(PG_INT(i)), &err),
                0);
        for (int64_t i = 0; i < 3; i++) {
            assert_int_equal(pg_take(pg, &rows, &err), 0);
            assert_int_equal(pg_int_at(&rows, 0, 0), i == 1 ? 10 : i);
            pg_rows_release(&rows);
        }
    }
    assert_int_equal(number(pg, "SELECT count(*) FROM pg_prepared_statements"), 2);
}

static void
an_error_ends_the_way_and_the_connection_goes_on(void **state)
{
    static const char *const wrong[] = {"SELECT 1 / $1::bigint", "SELECT nonsense"};
    struct pg *pg = *state;
    struct pg_rows rows;
    struct err err;

    for (int i = 0; i < 2; i++) { /* fails when it runs; when it is planned */
        assert_int_equal(pg_send(pg, "SELECT 5", PG_NONE, &err), 0);
        assert_int_equal(pg_send(pg, wrong[i], PG_ARGS(PG_INT(0)), &err), 0);
        assert_int_equal(pg_send(pg, "SELECT 7", PG_NONE, &err), 0);
        assert_int_equal(pg_take(pg, NULL, &err), 0);
        assert_int_equal(pg_take(pg, &rows, &err), -1);
        assert_true(pg_alive(pg));
        assert_int_equal(number(pg, "SELECT 6"), 6);
        assert_int_equal(pg_query_again(pg, &rows, "SELECT 7", PG_NONE, &err), 0);
        assert_int_equal(pg_int_at(&rows, 0, 0), 7);
        pg_rows_release(&rows);
    }
}

static void
begin_goes_with_whatever_comes_first(void **state)
{
    struct pg *pg = *state;
    struct err err;

    assert_int_equal(pg_script(pg, "CREATE TABLE t (i bigint)", &err), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pg_begin(pg, &err), 0);
        if (i == 0)
            assert_int_equal(pg_script(pg, "INSERT INTO t VALUES (1)", &err), 0);
        else if (i == 1)
            assert_int_equal(
                pg_query(pg, NULL, "INSERT INTO t VALUES (2)", PG_NONE, &err), 0);
        else
            assert_int_equal(
                pg_query_again(pg, NULL, "INSERT INTO t VALUES (3)", PG_NONE, &err), 0);
        pg_rollback(pg);
    }
    assert_int_equal(number(pg, "SELECT count(*) FROM t"), 0);
    assert_int_equal(pg_begin(pg, &err), 0);
    assert_int_equal(pg_commit(pg, &err), 0); /* of nothing */
    assert_int_equal(pg_begin(pg, &err), 0);
    pg_rollback(pg);
    assert_int_equal(pg_query(pg, NULL, "INSERT INTO t VALUES (4)", PG_NONE, &err), 0);
    pg_rollback(pg); /* it was no part of a transaction */
    assert_int_equal(number(pg, "SELECT count(*) FROM t"), 1);
}

static void
a_failed_transaction_is_not_committed(void **state)
{
    struct pg *pg = *state;
    struct err err;

    assert_int_equal(pg_begin(pg, &err), 0);
    assert_int_equal(pg_query(pg, NULL, "SELECT nonsense", PG_NONE, &err), -1);
    assert_int_equal(pg_commit(pg, &err), -1);
    assert_int_equal(number(pg, "SELECT 1"), 1);
}

static void
commit_goes_with_what_comes_last(void **state)
{
    struct pg *pg = *state;
    struct pg_rows rows;
    struct err err;

    assert_int_equal(pg_script(pg, "CREATE TABLE t (i bigint)", &err), 0);
    assert_int_equal(pg_begin(pg, &err), 0);
    pg_commit_along(pg);
    assert_int_equal(pg_send(pg, "INSERT INTO t VALUES (1)", PG_NONE, &err), 0);
    assert_int_equal(pg_send(pg, "SELECT 5", PG_NONE, &err), 0);
    assert_int_equal(pg_take(pg, NULL, &err), 0);
    assert_int_equal(pg_take(pg, &rows, &err), 0);
    assert_int_equal(pg_int_at(&rows, 0, 0), 5);
    pg_rows_release(&rows);
    assert_int_equal(pg_commit(pg, &err), 0);
    pg_rollback(pg); /* of nothing */
    assert_int_equal(number(pg, "SELECT count(*) FROM t"), 1);
}

static void
commit_along_does_not_follow_an_error(void **state)
{
    struct pg *pg = *state;
    struct err err;

    assert_int_equal(pg_script(pg, "CREATE TABLE t (i bigint)", &err), 0);
    assert_int_equal(pg_begin(pg, &err), 0);
    pg_commit_along(pg);
    assert_int_equal(pg_send(pg, "INSERT INTO t VALUES (1)", PG_NONE, &err), 0);
    assert_int_equal(pg_send(pg, "SELECT 1 / 0", PG_NONE, &err), 0);
    assert_int_equal(pg_take(pg, NULL, &err), 0);
    assert_int_equal(pg_take(pg, NULL, &err), -1);
    pg_rollback(pg);
    assert_int_equal(number(pg, "SELECT count(*) FROM t"), 0);
    assert_int_equal(pg_begin(pg, &err), 0); /* and is forgotten */
    assert_int_equal(
        pg_query_again(pg, NULL, "INSERT INTO t VALUES (2)", PG_NONE, &err), 0);
    pg_rollback(pg);
    assert_int_equal(number(pg, "SELECT count(*) FROM t"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pg, close_pg)
        TEST(arrays_arrive_as_they_are),
        TEST(answers_come_in_the_order_of_the_statements),
        TEST(an_error_ends_the_way_and_the_connection_goes_on),
        TEST(begin_goes_with_whatever_comes_first),
        TEST(a_failed_transaction_is_not_committed),
        TEST(commit_goes_with_what_comes_last),
        TEST(commit_along_does_not_follow_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
