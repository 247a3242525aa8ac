/*
 * webfacts.c - jobs and cells in bulk for the page's memory, and the details of those few
 * that a page shows. Read-only. What a statement is given by arrays of numbers has been
 * chosen in memory, so no statement here goes through a whole sweep twice.
 */
#include "coordinator/db/webfacts.h"

#include <math.h>
#include <stdlib.h>

#include "coordinator/db/handle.h"
#include "shared/base/mem.h"

/* Rows that are fetched at once: libpq keeps a whole result in memory. */
enum { CHUNK = 50000 };

int
db_web_stages(struct db *db, int64_t after, db_web_stage_fn *each, void *arg,
              struct err *err)
{
    struct pg_rows rows;
    int n;

    do {
        if (pg_query(db->pg, &rows,
                     "SELECT d.job, f.stage FROM job_def d JOIN job_form f"
                     " ON f.id = d.form WHERE d.job > $1 ORDER BY d.job LIMIT $2",
                     PG_ARGS(PG_INT(after), PG_INT(CHUNK)), err)
            != 0)
            return -1;
        n = rows.n;
        for (int i = 0; i < n; i++)
            each(arg, after = pg_int_at(&rows, i, 0), pg_text_at(&rows, i, 1));
        pg_rows_release(&rows);
    } while (n == CHUNK);
    return 0;
}

/* Rows tell by xmin which transaction wrote them last; ages compare where numbers wrap
 * around. $1: the oldest transaction that was open last time. */
static const char *const changed_sql =
    "SELECT id, state, attempt FROM job WHERE age(xmin) <="
    " (SELECT age(pg_snapshot_xmin(pg_current_snapshot())::xid)"
    "   + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - $1::bigint))";

/* What the attempts of these jobs took. rows: id, state, attempt. */
static int
tell_facts(struct db *db, const struct pg_rows *jobs, db_web_fact_fn *each, void *arg,
           struct err *err)
{
    int64_t *ids = xcalloc((size_t)jobs->n + 1, 2 * sizeof *ids);
    int64_t *attempts = ids + jobs->n + 1;
    struct pg_rows took;

    for (int i = 0; i < jobs->n; i++) {
        ids[i] = pg_int_at(jobs, i, 0);
        attempts[i] = pg_int_at(jobs, i, 2);
    }
    const int rc = pg_query(
        db->pg, &took,
        "SELECT a.seconds FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY"
        "  AS x(job, attempt, place) LEFT JOIN attempt a ON a.job = x.job"
        "  AND a.attempt = x.attempt AND a.seconds > 0 ORDER BY x.place",
        PG_ARGS(PG_INTS(ids, (size_t)jobs->n), PG_INTS(attempts, (size_t)jobs->n)),
        err);
    for (int i = 0; rc == 0 && i < jobs->n; i++)
        each(arg, ids[i], pg_text_at(jobs, i, 1),
             strtod(pg_text_at(&took, i, 0), NULL));
    if (rc == 0)
        pg_rows_release(&took);
    free(ids);
    return rc;
}

/* Tells and releases the rows. */
static int
take_facts(struct db *db, struct pg_rows *rows, db_web_fact_fn *each, void *arg,
           struct err *err)
{
    const int rc = rows->n > 0 ? tell_facts(db, rows, each, arg, err) : 0;

    pg_rows_release(rows);
    return rc;
}

static int
all_facts(struct db *db, db_web_fact_fn *each, void *arg, struct err *err)
{
    struct pg_rows rows;
    int64_t after = 0;
    int n;

    do {
        if (pg_query(db->pg, &rows,
                     "SELECT id, state, attempt FROM job WHERE id > $1"
                     " ORDER BY id LIMIT $2",
                     PG_ARGS(PG_INT(after), PG_INT(CHUNK)), err)
            != 0)
            return -1;
        n = rows.n;
        if (n > 0)
            after = pg_int_at(&rows, n - 1, 0);
        if (take_facts(db, &rows, each, arg, err) != 0)
            return -1;
    } while (n == CHUNK);
    return 0;
}

int
db_web_facts(struct db *db, int64_t since, db_web_fact_fn *each, void *arg,
             struct err *err)
{
    struct pg_rows rows;

    if (since == 0)
        return all_facts(db, each, arg, err);
    if (pg_query(db->pg, &rows, changed_sql, PG_ARGS(PG_INT(since)), err) != 0)
        return -1;
    return take_facts(db, &rows, each, arg, err);
}

int
db_web_chains(struct db *db, int64_t sweep, db_web_chain_fn *each, void *arg,
              struct err *err)
{
    struct pg_rows rows;

    if (pg_query(db->pg, &rows,
                 "SELECT c.id, u.job FROM cell_def c LEFT JOIN LATERAL unnest(c.jobs)"
                 " WITH ORDINALITY AS u(job, place) ON true WHERE c.sweep = $1"
                 " ORDER BY c.place, u.place",
                 PG_ARGS(PG_INT(sweep)), err)
        != 0)
        return -1;
    for (int i = 0; i < rows.n; i++)
        each(arg, pg_int_at(&rows, i, 0), pg_int_at(&rows, i, 1));
    pg_rows_release(&rows);
    return 0;
}

/* ---- parameters of cells ----------------------------------------------------------- */

static int
tell_values(struct db *db, db_web_value_fn *each, void *arg, const char *sql,
            const struct pg_arg *args, size_t n, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(db->pg, &rows, sql, args, n, err) != 0)
        return -1;
    for (int i = 0; i < rows.n; i++)
        each(arg, pg_text_at(&rows, i, 0));
    pg_rows_release(&rows);
    return 0;
}

int
db_web_axis(struct db *db, int64_t sweep, const char *name, db_web_value_fn *each,
            void *arg, struct err *err)
{
    return tell_values(db, each, arg,
                       "SELECT coalesce(c.own ->> $2, f.params ->> $2) FROM cell_def c"
                       " JOIN cell_form f ON f.id = c.form WHERE c.sweep = $1"
                       " ORDER BY c.place",
                       PG_ARGS(PG_INT(sweep), PG_TEXT(name)), err);
}

/* Where all cells have one form, what they share need not be looked at. */
static const char *const alike_sql =
    "SELECT jsonb_hash_extended(CASE WHEN (SELECT count(*) FROM cell_form"
    "  WHERE sweep = $1) = 1 THEN c.own ELSE f.params || c.own END"
    "  - (SELECT coalesce(report ->> 'group_over', '') FROM sweep WHERE id = $1), 0)"
    " FROM cell_def c JOIN cell_form f ON f.id = c.form WHERE c.sweep = $1"
    " ORDER BY c.place";

int
db_web_alike(struct db *db, int64_t sweep, db_web_value_fn *each, void *arg,
             struct err *err)
{
    return tell_values(db, each, arg, alike_sql, PG_ARGS(PG_INT(sweep)), err);
}

int
db_web_cell_params(struct db *db, const int64_t *cells, size_t n, json_t **out,
                   struct err *err)
{
    return pg_json(db->pg, out,
                   "SELECT coalesce(json_agg(json_build_object('params', c.params -"
                   "   coalesce(w.report ->> 'group_over', ''))"
                   "  ORDER BY x.place), '[]')"
                   " FROM unnest($1::bigint[]) WITH ORDINALITY AS x(cell, place)"
                   " JOIN cell c ON c.id = x.cell JOIN sweep w ON w.id = c.sweep",
                   PG_ARGS(PG_INTS(cells, n)), err);
}

int
db_web_finals(struct db *db, const int64_t *jobs, size_t n, const char *const *names,
              size_t n_names, db_web_final_fn *each, void *arg, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(db->pg, &rows,
                 "SELECT m.job, k.name, k.unit, k.goal, m.value FROM metric_final m"
                 " JOIN metric_key k ON k.id = m.key AND k.name = ANY ($2::text[])"
                 " WHERE m.job = ANY ($1::bigint[])"
                 " AND m.value BETWEEN -1e300 AND 1e300",
                 PG_ARGS(PG_INTS(jobs, n), PG_TEXTS(names, n_names)), err)
        != 0)
        return -1;
    for (int i = 0; i < rows.n; i++)
        each(arg,
             &(struct db_web_final){.job = pg_int_at(&rows, i, 0),
                                    .name = pg_text_at(&rows, i, 1),
                                    .unit = pg_text_at(&rows, i, 2),
                                    .goal = pg_text_at(&rows, i, 3),
                                    .value = strtod(pg_text_at(&rows, i, 4), NULL)});
    pg_rows_release(&rows);
    return 0;
}

/* ---- what a page shows of sweeps --------------------------------------------------- */

#define SWEEP_ROW                                                               \
    "'id', w.id, 'name', w.name, 'title', w.title, 'revision', w.revision,"     \
    " 'submitted_at', w.submitted_at, 'cancelled', w.cancelled_at IS NOT NULL," \
    " 'paused', CASE WHEN w.paused_at IS NOT NULL THEN w.paused_why END"

int
db_web_sweep_texts(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    if (pg_json(
            db->pg, out,
            "SELECT json_build_object(" SWEEP_ROW
            ", 'axes', w.axes, 'report', w.report, 'text', w.text, 'sets', w.sets,"
            " 'slots', (SELECT coalesce(sum(slots), 0) FROM worker WHERE connected))"
            " FROM sweep w WHERE w.id = $1",
            PG_ARGS(PG_INT(sweep)), err)
        != 0)
        return -1;
    if (*out != NULL)
        return 0;
    return err_set(err, ERR_USAGE, "there is no sweep %lld", (long long)sweep);
}

int
db_web_sweeps(struct db *db, json_t **out, struct err *err)
{
    return pg_json(db->pg, out,
                   "SELECT json_build_object('sweeps', coalesce(json_agg("
                   "json_build_object(" SWEEP_ROW ") ORDER BY w.submitted_at DESC,"
                   " w.id DESC), '[]')) FROM sweep w",
                   PG_NONE, err);
}

int
db_web_running(struct db *db, const int64_t *jobs, size_t n, json_t **out,
               struct err *err)
{
    return pg_json(
        db->pg, out,
        "SELECT coalesce(json_agg(json_build_object('job', j.id, 'stage', s.stage,"
        "  'attempt', j.attempt, 'epoch', p.epoch, 'epochs', p.epochs, 'step', p.step,"
        "  'steps', p.steps, 'images_per_second', p.images_per_second, 'loss',"
        "  CASE WHEN p.loss BETWEEN -1e300 AND 1e300 THEN p.loss END, 'seconds_left',"
        "  p.seconds_left, 'worker', w.name) ORDER BY j.id), '[]')"
        " FROM job j JOIN job_spec s ON s.job = j.id"
        " LEFT JOIN worker w ON w.id = j.worker"
        " LEFT JOIN progress p ON p.job = j.id AND p.attempt = j.attempt"
        " WHERE j.id = ANY ($1::bigint[])",
        PG_ARGS(PG_INTS(jobs, n)), err);
}

int
db_web_causes(struct db *db, const int64_t *jobs, size_t n, json_t **out,
              struct err *err)
{
    return pg_json(
        db->pg, out,
        "SELECT coalesce(json_agg(json_build_object('fingerprint', fingerprint, 'text',"
        "  text, 'kind', kind, 'stage', stage, 'count', n, 'job', job)"
        "  ORDER BY n DESC, fingerprint), '[]') FROM (SELECT"
        "   coalesce(a.fingerprint, a.outcome, '') AS fingerprint, s.stage,"
        "   min(coalesce(a.error, a.outcome, '')) AS text, min(a.outcome) AS kind,"
        "   count(*) AS n, min(j.id) AS job FROM job j JOIN job_spec s ON s.job = j.id"
        "   LEFT JOIN attempt a ON a.job = j.id AND a.attempt = j.attempt"
        "   WHERE j.id = ANY ($1::bigint[]) GROUP BY 1, 2 ORDER BY n DESC LIMIT 30) x",
        PG_ARGS(PG_INTS(jobs, n)), err);
}
