/* Jobs and cells in memory: always what the database would count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/db/handle.h"
#include "coordinator/db/webreads.h"
#include "coordinator/report/report.h"
#include "coordinator/web/axis.h"
#include "coordinator/web/choice.h"
#include "coordinator/web/counts.h"
#include "coordinator/web/moment.h"
#include "coordinator/web/points.h"
#include "coordinator/web/tiles.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/db_fixture.h"

enum { SEEDS = 3, BUDGETS = 4, CELLS = SEEDS * BUDGETS, JOBS = SEEDS + 2 * CELLS };

struct world {
    char *conninfo;
    struct db *writer, *other, *reader;
    struct dag_fixture *fixture;
    struct mirror *mirror;
    int64_t sweep;
};

static int
make_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct db_submitted out;
    struct err err = {0};

    w->writer = db_fixture_new("mirror", &w->conninfo);
    if (db_open(&w->other, w->conninfo, &err) != 0
        || db_web_open(&w->reader, w->conninfo, &err) != 0)
        fail_msg("%s", err.text);
    w->fixture = dag_fixture_new("web", "text");
    json_object_set_new(w->fixture->sweep.report, "group_over", json_string("seed"));
    for (int seed = 0; seed < SEEDS; seed++)
        dag_fixture_add_many(w->fixture, seed, BUDGETS);
    assert_int_equal(
        db_submit(w->writer, &w->fixture->sweep, w->fixture->dag, &out, &err), 0);
    w->sweep = out.sweep;
    w->mirror = mirror_new();
    *state = w;
    return 0;
}

static int
free_world(void **state)
{
    struct world *w = *state;

    mirror_free(w->mirror);
    dag_fixture_free(w->fixture);
    db_close(w->writer);
    db_close(w->other);
    db_close(w->reader);
    free(w->conninfo);
    free(w);
    return 0;
}

/* A page's look at the sweep; `texts` and the mirror are given back by done. */
struct look {
    struct buf name;
    struct moment at;
    struct mirror_sweep *sweep;
    json_t *texts;
};

static void
look(struct look *l, struct world *w, struct db *db)
{
    struct err err = {0};

    *l = (struct look){.at = {.db = db, .mirror = w->mirror}};
    if (db_web_begin(db, &l->name, &err) != 0)
        fail_msg("%s", err.text);
    l->at.name = buf_str(&l->name);
    if (moment_sweep(&l->at, w->sweep, &l->texts, &l->sweep, &err) != 0)
        fail_msg("%s", err.text);
}

static void
done(struct look *l)
{
    mirror_done(l->at.mirror);
    db_web_end(l->at.db);
    json_decref(l->texts);
    buf_release(&l->name);
}

static void
counts_are_those_of_the_database(struct world *w)
{
    struct err err = {0};
    json_t *expected;
    struct look l;

    look(&l, w, w->reader);
    counts_add(l.texts, w->mirror, l.sweep);
    if (pg_json(w->reader->pg, &expected,
                "SELECT json_object_agg(state, n) FROM (SELECT state, count(*) AS n"
                " FROM job GROUP BY state) x",
                PG_NONE, &err)
        != 0)
        fail_msg("%s", err.text);
    if (!json_equal(expected, json_object_get(l.texts, "jobs")))
        fail_msg("expected %s, got %s", json_dumps(expected, 0),
                 json_dumps(json_object_get(l.texts, "jobs"), 0));
    json_decref(expected);
    done(&l);
}

static void
a_sweep_is_counted_by_stage_and_state(void **state)
{
    struct world *w = *state;
    struct look l;

    look(&l, w, w->reader);
    counts_add(l.texts, w->mirror, l.sweep);
    counts_add_stages(l.texts, w->mirror, l.sweep);
    const json_t *stages = json_object_get(l.texts, "stages");
    assert_int_equal(json_int(l.texts, "cells", 0), CELLS);
    assert_int_equal(json_array_size(stages), 3);
    assert_string_equal(json_str(json_array_get(stages, 0), "stage", ""), "teacher");
    assert_int_equal(json_int(json_object_get(l.texts, "jobs"), "ready", 0), SEEDS);
    assert_int_equal(json_int(json_object_get(l.texts, "jobs"), "blocked", 0),
                     JOBS - SEEDS);
    done(&l);
    counts_are_those_of_the_database(w);
}

/* Transactions of two writers that overlap as they like. */
static void
whatever_is_written_in_whatever_order_is_counted(void **state)
{
    static const char *const states[] = {"ready", "leased", "succeeded", "failed",
                                         "held"};
    struct world *w = *state;
    unsigned seed = 7;

    db_fixture_script(w->other, "BEGIN");
    for (int round = 0; round < 60; round++) {
        char sql[160];
        struct db *db = rand_r(&seed) % 2 ? w->writer : w->other;
        const int half = db == w->writer ? 0 : 1; /* of the jobs: no waiting */
        snprintf(sql, sizeof sql,
                 "UPDATE job SET state = '%s' WHERE id %% 2 = %d AND id %% 5 = %d",
                 states[rand_r(&seed) % 5], half, rand_r(&seed) % 5);
        db_fixture_script(db, sql);
        if (rand_r(&seed) % 3 == 0)
            db_fixture_script(w->other, "COMMIT; BEGIN");
        counts_are_those_of_the_database(w);
    }
    db_fixture_script(w->other, "COMMIT");
    counts_are_those_of_the_database(w);
}

static void
an_older_look_takes_nothing_back(void **state)
{
    struct world *w = *state;
    struct buf old = {0};
    struct db *slow;
    struct err err = {0};
    struct look l;

    db_fixture_script(w->writer, "UPDATE job SET state = 'ready'");
    assert_int_equal(db_web_open(&slow, w->conninfo, &err), 0);
    assert_int_equal(db_web_begin(slow, &old, &err), 0);
    db_fixture_script(w->writer, "UPDATE job SET state = 'leased' WHERE id = 1");
    look(&l, w, w->reader);
    assert_int_equal(mirror_job(w->mirror, 1).state, MIRROR_LEASED);
    done(&l);
    assert_int_equal(mirror_take(w->mirror, slow, buf_str(&old), &err), 0);
    assert_int_equal(mirror_job(w->mirror, 1).state, MIRROR_LEASED);
    mirror_done(w->mirror);
    db_web_end(slow);
    db_close(slow);
    buf_release(&old);
}

static void
a_new_revision_brings_its_own_cells(void **state)
{
    struct world *w = *state;
    struct db_submitted out;
    struct err err = {0};
    struct look l;

    look(&l, w, w->reader);
    done(&l);
    dag_fixture_add(w->fixture, 0, 77);
    assert_int_equal(
        db_submit(w->writer, &w->fixture->sweep, w->fixture->dag, &out, &err), 0);
    look(&l, w, w->reader);
    assert_int_equal(l.sweep->n_cells, CELLS + 1);
    assert_int_equal(l.sweep->n_jobs, JOBS + 2);
    done(&l);
    counts_are_those_of_the_database(w);
}

/* Every chain is done; CA of a cell is its last job's number, of a mask job 0. */
static void
finish_all(struct world *w)
{
    db_fixture_script(
        w->writer,
        "UPDATE job SET state = 'succeeded';"
        "INSERT INTO metric_key (name, unit, goal) VALUES ('CA', '%', 'max'),"
        " ('relus', 'ReLUs', 'min') ON CONFLICT DO NOTHING;"
        "INSERT INTO metric_final (job, key, attempt, value) SELECT job, k.id, 1,"
        " CASE WHEN stage = 'finetune' THEN job ELSE 0 END FROM job_spec,"
        " metric_key k WHERE stage <> 'teacher' AND k.name = 'CA'"
        " ON CONFLICT DO NOTHING;"
        "INSERT INTO metric_final (job, key, attempt, value) SELECT job, k.id, 1,"
        " 1000 + (spec -> 'params' ->> 'budget')::int FROM job_spec, metric_key k"
        " WHERE stage = 'finetune' AND k.name = 'relus' ON CONFLICT DO NOTHING");
}

static json_t *
points(struct world *w)
{
    const struct measures *v;
    struct err err = {0};
    struct look l;

    look(&l, w, w->reader);
    if (measures_find(w->mirror, l.sweep, w->reader, json_object_get(l.texts, "report"),
                      &v, &err)
        != 0)
        fail_msg("%s", err.text);
    json_t *rows = points_rows(l.texts, l.sweep, v);
    done(&l);
    return rows;
}

/* The mean of CA by budget, as the database has it. */
static double
expected_mean(struct world *w, int budget)
{
    struct err err = {0};
    struct pg_rows rows;

    if (pg_query(
            w->writer->pg, &rows,
            "SELECT avg(m.value) FROM cell c JOIN cell_job k ON k.cell = c.id"
            " AND k.place = 2 JOIN metric_final m ON m.job = k.job JOIN metric_key"
            " y ON y.id = m.key AND y.name = 'CA' WHERE (c.params ->> 'budget')::int"
            " = $1 AND NOT EXISTS (SELECT 1 FROM cell_job q JOIN job j ON j.id ="
            " q.job WHERE q.cell = c.id AND j.state <> 'succeeded')",
            PG_ARGS(PG_INT(budget)), &err)
        != 0)
        fail_msg("%s", err.text);
    const double mean = strtod(pg_text_at(&rows, 0, 0), NULL);
    pg_rows_release(&rows);
    return mean;
}

static void
check_points(struct world *w, const json_t *rows)
{
    json_t *group;
    size_t i;

    json_array_foreach(json_object_get(rows, "groups"), i, group)
    {
        const json_t *params = json_object_get(group, "params");
        const json_t *ca = json_object_get(json_object_get(group, "metrics"), "CA");
        assert_null(json_object_get(params, "seed"));
        assert_float_equal(json_num(ca, "mean", -1),
                           expected_mean(w, (int)json_int(params, "budget", -1)), 1e-9);
    }
}

static void
points_are_means_of_the_cells_that_are_done(void **state)
{
    struct world *w = *state;
    struct err err = {0};

    finish_all(w);
    json_t *rows = points(w), *report;
    assert_int_equal(json_array_size(json_object_get(rows, "groups")), BUDGETS);
    check_points(w, rows);
    const json_t *group = json_array_get(json_object_get(rows, "groups"), 0);
    assert_int_equal(json_int(group, "n", 0), SEEDS);
    assert_true(json_is_true(json_object_get(group, "complete")));
    assert_int_equal(report_build(&report, rows, &err), 0);
    assert_int_equal(json_array_size(json_object_get(report, "groups")), BUDGETS);
    json_decref(report);
    json_decref(rows);

    db_fixture_script(
        w->writer, "UPDATE job SET state = 'ready' WHERE id IN (SELECT k.job FROM"
                   " cell_job k JOIN cell c ON c.id = k.cell AND k.place = 2 WHERE"
                   " (c.params ->> 'budget')::int + (c.params ->> 'seed')::int = 2)");
    rows = points(w);
    check_points(w, rows);
    group = json_array_get(json_object_get(rows, "groups"), 0);
    assert_int_equal(json_int(group, "n", 0), SEEDS - 1);
    assert_false(json_is_true(json_object_get(group, "complete")));
    json_decref(rows);

    db_fixture_script(
        w->writer, "UPDATE job SET state = 'succeeded'; UPDATE metric_final SET value"
                   " = value + 1 WHERE job IN (SELECT job FROM job_spec WHERE stage"
                   " = 'finetune' AND (spec -> 'params' ->> 'budget')::int = 2 AND"
                   " (spec -> 'params' ->> 'seed')::int = 0)");
    rows = points(w); /* that cell was not read before, so the new value is there */
    check_points(w, rows);
    json_decref(rows);
}

static void
cells_that_are_kept_in_another_form_are_averaged_with_their_like(void **state)
{
    struct world *w = *state;

    finish_all(w);
    db_fixture_script(
        w->writer, "WITH f AS (INSERT INTO cell_form (sweep, params, written) SELECT"
                   " f.sweep, f.params || jsonb_build_object('seed', c.own -> 'seed'),"
                   " f.written FROM cell_def c JOIN cell_form f ON f.id = c.form"
                   " WHERE c.place = 0 RETURNING id)"
                   " UPDATE cell_def SET form = f.id, own = own - 'seed' FROM f"
                   " WHERE place = 0; UPDATE sweep SET revision = revision + 1");
    json_t *rows = points(w);
    assert_int_equal(json_array_size(json_object_get(rows, "groups")), BUDGETS);
    check_points(w, rows);
    json_decref(rows);
}

static void
tiles_count_cells_by_two_parameters(void **state)
{
    struct world *w = *state;
    const struct axis *budgets, *none;
    const struct measures *v;
    struct err err = {0};
    struct look l;

    finish_all(w);
    db_fixture_script(w->writer,
                      "UPDATE job SET state = 'failed' WHERE id IN (SELECT k.job FROM"
                      " cell_job k JOIN cell c ON c.id = k.cell AND k.place = 2 WHERE"
                      " c.params ->> 'budget' = '3' AND c.params ->> 'seed' = '1')");
    look(&l, w, w->reader);
    assert_int_equal(axis_find(l.sweep, w->reader, "budget", &budgets, &err), 0);
    assert_int_equal(axis_find(l.sweep, w->reader, "", &none, &err), 0);
    assert_int_equal(measures_find(w->mirror, l.sweep, w->reader,
                                   json_object_get(l.texts, "report"), &v, &err),
                     0);
    json_t *tiles = tiles_of(w->mirror, l.sweep, budgets, none, v, "CA"), *tile;
    done(&l);
    size_t i;
    assert_int_equal(json_array_size(tiles), BUDGETS);
    json_array_foreach(tiles, i, tile)
    {
        const int budget = atoi(json_str(tile, "row", ""));
        const int lost = budget == 3;
        assert_int_equal(json_int(tile, "cells", 0), SEEDS);
        assert_int_equal(json_int(tile, "done", 0), SEEDS - lost);
        assert_int_equal(json_int(tile, "failed", 9), lost);
        assert_float_equal(json_num(tile, "value", -1), expected_mean(w, budget), 1e-9);
    }
    json_decref(tiles);
}

/* A filter out of many. */
static struct db_web_filter
random_filter(struct world *w, unsigned *seed)
{
    static const char *const states[] = {"",          "",     "ready",
                                         "succeeded", "held", "failed"};
    static const char *const stages[] = {"", "", "mask", "finetune", "none"};
    static const char *const names[] = {"budget", "seed", "nothing"};
    static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">="};
    static const char *const values[] = {"0", "1", "2", "3", "1.5"};
    struct db_web_filter f = {.sweep = rand_r(seed) % 4 ? w->sweep : 0,
                              .state = states[rand_r(seed) % 6],
                              .stage = stages[rand_r(seed) % 5],
                              .cause = "",
                              .n_conditions = (size_t)(rand_r(seed) % 3)};

    for (size_t i = 0; i < f.n_conditions; i++)
        f.conditions[i] = (struct db_web_condition){
            names[rand_r(seed) % 3], ops[rand_r(seed) % 6], values[rand_r(seed) % 5]};
    return f;
}

static void
memory_chooses_the_jobs_that_the_database_chooses(void **state)
{
    struct world *w = *state;
    unsigned seed = 3;
    size_t found = 0;

    db_fixture_script(w->writer, "UPDATE job SET state = 'succeeded' WHERE id % 3 = 0;"
                                 "UPDATE job SET state = 'held' WHERE id % 5 = 1");
    for (int i = 0; i < 300; i++) {
        const struct db_web_filter f = random_filter(w, &seed);
        const int64_t after = rand_r(&seed) % 8;
        const size_t limit = 1 + (size_t)(rand_r(&seed) % 30);
        int64_t *expected, *ids;
        size_t n_expected, n;
        struct err err = {0};
        struct look l;
        look(&l, w, w->reader);
        mirror_done(w->mirror); /* which choice_jobs takes itself */
        if (db_web_ids(w->reader, &f, after, (int64_t)limit, &expected, &n_expected,
                       &err)
                != 0
            || choice_jobs(&l.at, &f, after, limit, &ids, &n, &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(n, n_expected);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(ids[k], expected[k]);
        found += n;
        free(expected);
        free(ids);
        db_web_end(w->reader);
        json_decref(l.texts);
        buf_release(&l.name);
    }
    assert_true(found > 300);
}

static void
of_many_parameters_the_newest_are_kept(void **state)
{
    struct world *w = *state;
    const struct axis *axis;
    struct err err = {0};
    struct look l;

    look(&l, w, w->reader);
    for (int i = 0; i < 60; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i % 40);
        assert_int_equal(axis_find(l.sweep, w->reader, name, &axis, &err), 0);
        assert_string_equal(axis->name, name);
        assert_int_equal(json_array_size(axis->values), 1);
    }
    assert_int_equal(axis_find(l.sweep, w->reader, "budget", &axis, &err), 0);
    assert_int_equal(json_array_size(axis->values), BUDGETS);
    size_t n = 0;
    for (axis = l.sweep->axes; axis != NULL; axis = axis->next)
        n++;
    assert_int_equal(n, 24);
    done(&l);
}

int
main(void)
{
    /* one database for all: each sets the states that it needs; the last adds a cell */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sweep_is_counted_by_stage_and_state),
        cmocka_unit_test(whatever_is_written_in_whatever_order_is_counted),
        cmocka_unit_test(an_older_look_takes_nothing_back),
        cmocka_unit_test(points_are_means_of_the_cells_that_are_done),
        cmocka_unit_test(
            cells_that_are_kept_in_another_form_are_averaged_with_their_like),
        cmocka_unit_test(tiles_count_cells_by_two_parameters),
        cmocka_unit_test(memory_chooses_the_jobs_that_the_database_chooses),
        cmocka_unit_test(of_many_parameters_the_newest_are_kept),
        cmocka_unit_test(a_new_revision_brings_its_own_cells),
    };

    return cmocka_run_group_tests(tests, make_world, free_world);
}
