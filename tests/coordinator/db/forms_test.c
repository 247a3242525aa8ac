/* What SQL shows of jobs and cells is what was planned, though their rows have only what
 * sets them apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "tests/coordinator/sweep/fixture.h"
#include "tests/support/db_fixture.h"

#define FILE_TEXT                                                                \
    "name: t\nfixed: {method: rlnet, dataset: fashion-mnist, relu_budget: 5%}\n" \
    "grid: {temperature: [4, 1], seed: [0, 1]}\n"                                \
    "include: [{relu_budget: all}, {lr: 0.3, loss: ce, seed: [4, 5]},"           \
    " {method: senet, seed: 7, relu_budget: 7%}]\n"

static void
assert_text(struct db *db, const char *sql, int64_t number, const char *want)
{
    struct pg_rows rows;
    struct err err = {0};

    if (pg_query(db->pg, &rows, sql, PG_ARGS(PG_INT(number), PG_TEXT(want)), &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(rows.n, 1);
    assert_string_equal(pg_text_at(&rows, 0, 0), pg_text_at(&rows, 0, 1));
    pg_rows_release(&rows);
}

/* Jobs have the numbers 1 and on in the order of the dag. */
static void
check_jobs(struct db *db, const struct dag *d)
{
    for (size_t i = 0; i < d->n_jobs; i++) {
        struct buf text = {0};
        dag_spec(&text, d, i);
        assert_text(db, "SELECT text, $2::text FROM job_spec WHERE job = $1",
                    (int64_t)i + 1, buf_str(&text));
        assert_text(db, "SELECT digest, $2::text FROM job_spec WHERE job = $1",
                    (int64_t)i + 1, dag_digest(d, i));
        buf_release(&text);
    }
}

static void
check_cells(struct db *db, const struct sweep *s, const struct dag *d)
{
    for (size_t c = 0; c < s->n_cells; c++) {
        struct buf params = {0}, written = {0}, chain = {0};
        size_t n;
        const uint32_t *jobs = dag_chain(d, c, &n);
        sweep_cell_text(&params, s, c, false);
        sweep_cell_text(&written, s, c, true);
        for (size_t i = 0; i < n; i++)
            buf_printf(&chain, "%s%u", i > 0 ? "," : "", jobs[i] + 1);
        assert_text(db, "SELECT params, $2::jsonb FROM cell WHERE place = $1",
                    (int64_t)c, buf_str(&params));
        assert_text(db, "SELECT written, $2::jsonb FROM cell WHERE place = $1",
                    (int64_t)c, buf_str(&written));
        assert_text(db,
                    "SELECT string_agg(k.job::text, ',' ORDER BY k.place), $2::text"
                    " FROM cell_job k JOIN cell c ON c.id = k.cell WHERE c.place = $1",
                    (int64_t)c, buf_str(&chain));
        buf_release(&params);
        buf_release(&written);
        buf_release(&chain);
    }
}

static void
what_sql_shows_is_what_was_planned(void **state)
{
    struct db *db = db_fixture_new("forms", NULL);
    struct sweep *s = fixture_sweep(FILE_TEXT, "");
    struct dag *d = dag_build(s);
    struct db_submitted out;
    struct err err = {0};

    (void)state;
    if (db_submit(db, s, d, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(out.new_jobs, d->n_jobs);
    check_jobs(db, d);
    check_cells(db, s, d);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM sweep_span"), 1);
    dag_free(d);
    sweep_free(s);
    db_close(db);
}

static void
edges_are_the_same_from_both_sides(void **state)
{
    struct db *db = db_fixture_new("edges", NULL);
    struct sweep *s = fixture_sweep(FILE_TEXT, "");
    struct dag *d = dag_build(s);
    struct db_submitted out;
    struct err err = {0};

    (void)state;
    assert_int_equal(db_submit(db, s, d, &out, &err), 0);
    assert_int_equal(db_fixture_number(db, "SELECT count(*) FROM job_dep"), d->n_edges);
    assert_int_equal(
        db_fixture_number(db, "SELECT count(*) FROM job_dep JOIN job_child"
                              " USING (parent, child) JOIN job_spec s ON s.job = child"
                              " JOIN job_spec p ON p.job = parent"
                              " WHERE s.spec #>> ARRAY['inputs', input] = p.digest"),
        d->n_edges);
    dag_free(d);
    sweep_free(s);
    db_close(db);
}

/* Two sweeps over the same jobs: whose is what. */
static void
a_sweep_has_its_own_jobs_and_the_shared_ones(void **state)
{
    struct db *db = db_fixture_new("spans", NULL);
    struct sweep *a = fixture_sweep(FILE_TEXT, ""),
                 *b = fixture_sweep("name: u\nfixed: {method: rlnet, dataset:"
                                    " fashion-mnist, relu_budget: 5%}\n"
                                    "grid: {temperature: [9, 1], seed: [1]}\n",
                                    "");
    struct dag *da = dag_build(a), *planned_b = dag_build(b);
    struct db_submitted out;
    struct err err = {0};

    (void)state;
    assert_int_equal(db_submit(db, a, da, &out, &err), 0);
    assert_int_equal(db_submit(db, b, planned_b, &out, &err), 0);
    assert_true(out.new_jobs > 0 && out.new_jobs < out.jobs);
    assert_int_equal(db_fixture_number(db,
                                       "SELECT count(*) FROM sweep_span k JOIN job j"
                                       " ON k.jobs @> j.id WHERE k.sweep = 2"),
                     (int64_t)planned_b->n_jobs);
    assert_int_equal(db_fixture_number(
                         db, "SELECT count(*) FROM (SELECT c.sweep, k.job FROM cell c"
                             " JOIN cell_job k ON k.cell = c.id EXCEPT SELECT k.sweep,"
                             " j.id FROM sweep_span k JOIN job j ON k.jobs @> j.id) x"),
                     0);
    dag_free(da);
    dag_free(planned_b);
    sweep_free(a);
    sweep_free(b);
    db_close(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_sql_shows_is_what_was_planned),
        cmocka_unit_test(edges_are_the_same_from_both_sides),
        cmocka_unit_test(a_sweep_has_its_own_jobs_and_the_shared_ones),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
