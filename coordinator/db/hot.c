/*
 * hot.c - lease, start and success of many jobs at once. Invariant: each statement names
 * attempt and state that it expects, and finds its rows by number.
 */
#include "coordinator/db/hot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/db/blobs.h"
#include "shared/base/mem.h"

int
hot_prepare(struct pg *pg, struct err *err)
{
    return pg_script(pg,
                     "SET enable_seqscan = off; SET enable_hashjoin = off;"
                     "SET enable_mergejoin = off; SET plan_cache_mode ="
                     " force_generic_plan; SET jit = off",
                     err);
}

int
hot_replan(struct pg *pg, struct err *err)
{
    return pg_script(pg, "DISCARD PLANS", err);
}

/* Index of a job among n items, which lie `size` apart and begin with its number. Rows
 * come back in nearly the order in which they were given, so the search goes on from the
 * last place. */
static size_t
find_job(const void *items, size_t size, size_t n, size_t from, int64_t job)
{
    for (size_t k = 0; k < n; k++) {
        const size_t i = (from + k) % n;
        if (*(const int64_t *)((const char *)items + i * size) == job)
            return i;
    }
    return n;
}

/* ---- lease ------------------------------------------------------------------------ */

static void
take_lease(struct hot_lease *l, const struct pg_rows *rows, int row)
{
    l->done = true;
    l->digest = xstrdup(pg_text_at(rows, row, 1));
    l->spec = xstrdup(pg_text_at(rows, row, 2));
    if (pg_null_at(rows, row, 3))
        return;
    snprintf(l->resume.sha, sizeof l->resume.sha, "%s", pg_text_at(rows, row, 3));
    l->resume.size = pg_int_at(rows, row, 4);
    l->resume.step = pg_int_at(rows, row, 5);
}

static void
add_input(struct hot_lease *l, const struct pg_rows *rows, int row)
{
    struct artifact_inputs *in = &l->inputs;

    in->items = xgrow(in->items, &in->capacity, in->n + 1, sizeof *in->items);
    struct artifact_input *item = &in->items[in->n++];
    item->stage = xstrdup(pg_text_at(rows, row, 1));
    item->name = xstrdup(pg_text_at(rows, row, 2));
    snprintf(item->sha, sizeof item->sha, "%s", pg_text_at(rows, row, 3));
    item->size = pg_int_at(rows, row, 4);
}

static int
load_inputs(struct pg *pg, struct hot_lease *leases, size_t n, const int64_t *jobs,
            struct err *err)
{
    struct pg_rows rows;
    size_t at = 0;

    if (pg_query_again(pg, &rows,
                       "SELECT d.child, d.input, a.name, b.sha, b.size"
                       " FROM unnest($1::bigint[]) u(job)"
                       " JOIN job_dep d ON d.child = u.job"
                       " JOIN artifact a ON a.job = d.parent AND a.name = 'model'"
                       " JOIN blob b ON b.id = a.blob ORDER BY d.child, d.input",
                       PG_ARGS(PG_INTS(jobs, n)), err)
        != 0)
        return -1;
    for (int i = 0; i < rows.n; i++) {
        at = find_job(leases, sizeof *leases, n, at, pg_int_at(&rows, i, 0));
        if (at < n && leases[at].done)
            add_input(&leases[at], &rows, i);
    }
    pg_rows_release(&rows);
    return 0;
}

int
hot_lease(struct pg *pg, struct hot_lease *leases, size_t n, struct err *err)
{
    int64_t *v = xcalloc(3 * n, sizeof *v);
    struct pg_rows rows;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        v[i] = leases[i].job;
        v[n + i] = leases[i].attempt;
        v[2 * n + i] = leases[i].worker;
    }
    int rc = pg_query_again(
        pg, &rows,
        "WITH u AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $2::bigint[],"
        "  $3::bigint[]) u(job, attempt, worker)),"
        " m AS (UPDATE job j SET state = 'leased', attempt = u.attempt,"
        "  not_before = NULL, worker = u.worker, leased_at = now() FROM u"
        "  WHERE j.id = u.job AND j.attempt = u.attempt - 1 AND j.state = 'ready'"
        "  RETURNING u.job)"
        " SELECT m.job, s.digest, s.text, b.sha, b.size, c.step FROM m"
        " JOIN job_spec s ON s.job = m.job"
        " LEFT JOIN checkpoint_head c ON c.job = m.job"
        " LEFT JOIN blob b ON b.id = c.blob",
        PG_ARGS(PG_INTS(v, n), PG_INTS(v + n, n), PG_INTS(v + 2 * n, n)), err);
    for (int i = 0; rc == 0 && i < rows.n; i++) {
        at = find_job(leases, sizeof *leases, n, at, pg_int_at(&rows, i, 0));
        if (at < n)
            take_lease(&leases[at], &rows, i);
    }
    if (rc == 0) {
        pg_rows_release(&rows);
        rc = load_inputs(pg, leases, n, v, err);
    }
    free(v);
    return rc;
}

/* ---- start ------------------------------------------------------------------------ */

int
hot_start(struct pg *pg, struct hot_start *starts, size_t n, struct err *err)
{
    int64_t *v = xcalloc(3 * n, sizeof *v);
    const char **provenance = xcalloc(n, sizeof *provenance);
    struct pg_rows rows;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        v[i] = starts[i].job;
        v[n + i] = starts[i].attempt;
        v[2 * n + i] = starts[i].pid;
        provenance[i] = starts[i].provenance[0] != '\0' ? starts[i].provenance : NULL;
    }
    const int rc = pg_query_again(
        pg, &rows,
        "INSERT INTO attempt (job, attempt, worker, leased_at, started_at, pid,"
        " provenance) SELECT DISTINCT ON (j.id) j.id, j.attempt, j.worker, j.leased_at, now(), u.pid,"
        "  u.provenance::json"
        " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])"
        "  u(job, attempt, pid, provenance) JOIN job j ON j.id = u.job"
        "  AND j.attempt = u.attempt AND j.state = 'leased'"
        " ON CONFLICT (job, attempt) DO UPDATE SET pid = excluded.pid,"
        "  started_at = coalesce(attempt.started_at, excluded.started_at),"
        "  provenance = excluded.provenance RETURNING job",
        PG_ARGS(PG_INTS(v, n), PG_INTS(v + n, n), PG_INTS(v + 2 * n, n),
                PG_TEXTS(provenance, n)),
        err);
    free(v);
    free(provenance);
    if (rc != 0)
        return -1;
    for (int i = 0; i < rows.n; i++) {
        at = find_job(starts, sizeof *starts, n, at, pg_int_at(&rows, i, 0));
        if (at < n)
            starts[at].done = true;
    }
    pg_rows_release(&rows);
    return 0;
}

/* ---- success ---------------------------------------------------------------------- */

static int
move_to_success(struct pg *pg, struct hot_success *ends, size_t n, struct err *err)
{
    int64_t *v = xcalloc(4 * n, sizeof *v);
    double *seconds = xcalloc(n, sizeof *seconds);
    struct pg_rows rows;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        v[i] = ends[i].job;
        v[n + i] = ends[i].attempt;
        v[2 * n + i] = ends[i].exit_code;
        v[3 * n + i] = ends[i].peak_rss_bytes;
        seconds[i] = ends[i].seconds;
    }
    const int rc = pg_query_again(
        pg, &rows,
        "WITH u AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $2::bigint[],"
        "  $3::bigint[], $4::bigint[], $5::float8[]) u(job, attempt, code, rss, s)),"
        " m AS (UPDATE job j SET state = 'succeeded', not_before = NULL FROM u"
        "  WHERE j.id = u.job AND j.attempt = u.attempt AND j.state = 'leased'"
        "  RETURNING u.*, j.worker, j.leased_at),"
        " a AS (UPDATE attempt a SET ended_at = now(), outcome = 'ok',"
        "  exit_code = m.code, signal = 0, seconds = CASE WHEN m.s >= 0 THEN m.s END,"
        "  peak_rss_bytes = nullif(m.rss, 0) FROM m"
        "  WHERE a.job = m.job AND a.attempt = m.attempt),"
        " b AS (INSERT INTO attempt (job, attempt, worker, leased_at, ended_at, outcome,"
        "  exit_code, signal, seconds, peak_rss_bytes) SELECT job, attempt, worker,"
        "  leased_at, now(), 'ok', code, 0, CASE WHEN s >= 0 THEN s END, nullif(rss, 0)"
        "  FROM m WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE a.job = m.job"
        "   AND a.attempt = m.attempt))"
        " SELECT job FROM m",
        PG_ARGS(PG_INTS(v, n), PG_INTS(v + n, n), PG_INTS(v + 2 * n, n),
                PG_INTS(v + 3 * n, n), PG_REALS(seconds, n)),
        err);
    free(v);
    free(seconds);
    if (rc != 0)
        return -1;
    for (int i = 0; i < rows.n; i++) {
        at = find_job(ends, sizeof *ends, n, at, pg_int_at(&rows, i, 0));
        if (at < n)
            ends[at].done = true;
    }
    pg_rows_release(&rows);
    return 0;
}

/* Finals of the attempts that have moved, as columns. */
struct finals {
    int64_t *job, *attempt;
    double *value;
    const char **name, **unit, **goal;
    size_t n;
};

static struct finals
gather_finals(const struct hot_success *ends, size_t n)
{
    struct finals f = {0};
    size_t room = 1;

    for (size_t i = 0; i < n; i++)
        room += ends[i].done ? ends[i].n_finals : 0;
    f.job = xcalloc(2 * room, sizeof *f.job);
    f.attempt = f.job + room;
    f.value = xcalloc(room, sizeof *f.value);
    f.name = xcalloc(3 * room, sizeof *f.name);
    f.unit = f.name + room;
    f.goal = f.unit + room;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; ends[i].done && k < ends[i].n_finals; k++, f.n++) {
            const struct metric *m = &ends[i].finals[k];
            f.job[f.n] = ends[i].job;
            f.attempt[f.n] = ends[i].attempt;
            f.value[f.n] = m->value;
            f.name[f.n] = m->name;
            f.unit[f.n] = m->unit;
            f.goal[f.n] = metric_goal_name(m->goal);
        }
    return f;
}

static int
add_finals(struct pg *pg, const struct hot_success *ends, size_t n, struct err *err)
{
    struct finals f = gather_finals(ends, n);
    int rc = 0;

    if (f.n > 0
        && (pg_query_again(pg, NULL,
                           "INSERT INTO metric_key (name, unit, goal)"
                           " SELECT DISTINCT x.name, x.unit, x.goal"
                           " FROM unnest($1::text[], $2::text[], $3::text[])"
                           "  x(name, unit, goal)"
                           " WHERE NOT EXISTS (SELECT 1 FROM metric_key k"
                           "  WHERE (k.name, k.unit, k.goal)"
                           "   = (x.name, x.unit, x.goal)) ON CONFLICT DO NOTHING",
                           PG_ARGS(PG_TEXTS(f.name, f.n), PG_TEXTS(f.unit, f.n),
                                   PG_TEXTS(f.goal, f.n)),
                           err)
                != 0
            || pg_query_again(
                   pg, NULL,
                   "INSERT INTO metric_final (job, attempt, key, value)"
                   " SELECT x.job, x.attempt, k.id, x.value"
                   " FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::text[],"
                   "  $5::text[], $6::text[]) x(job, attempt, value, name, unit, goal)"
                   " JOIN metric_key k ON (k.name, k.unit, k.goal)"
                   "  = (x.name, x.unit, x.goal)"
                   " ON CONFLICT (job, key) DO UPDATE SET attempt = excluded.attempt,"
                   "  value = excluded.value",
                   PG_ARGS(PG_INTS(f.job, f.n), PG_INTS(f.attempt, f.n),
                           PG_REALS(f.value, f.n), PG_TEXTS(f.name, f.n),
                           PG_TEXTS(f.unit, f.n), PG_TEXTS(f.goal, f.n)),
                   err)
                   != 0))
        rc = -1;
    free(f.job);
    free(f.value);
    free(f.name);
    return rc;
}

/* Checkpoints, progress and requests of jobs that are finished. */
static int
clear_traces(struct pg *pg, const int64_t *jobs, size_t n, struct err *err)
{
    struct pg_rows rows;
    int rc = 0;

    if (pg_query_again(pg, &rows,
                       "DELETE FROM checkpoint_head WHERE job = ANY($1::bigint[])"
                       " RETURNING blob",
                       PG_ARGS(PG_INTS(jobs, n)), err)
        != 0)
        return -1;
    for (int i = 0; rc == 0 && i < rows.n; i++)
        rc = blobs_drop_unused(pg, pg_int_at(&rows, i, 0), err);
    pg_rows_release(&rows);
    if (rc != 0
        || pg_query_again(pg, NULL,
                          "DELETE FROM progress WHERE job = ANY($1::bigint[])",
                          PG_ARGS(PG_INTS(jobs, n)), err)
               != 0)
        return -1;
    return pg_query_again(pg, NULL,
                          "UPDATE request SET done_at = now()"
                          " WHERE job = ANY($1::bigint[]) AND done_at IS NULL",
                          PG_ARGS(PG_INTS(jobs, n)), err);
}

static int
release_children(struct pg *pg, const int64_t *jobs, size_t n,
                 struct job_ready_list *ready, struct err *err)
{
    struct pg_rows rows;

    if (pg_query_again(
            pg, &rows,
            "UPDATE job j SET state = 'ready' FROM"
            " (SELECT DISTINCT d.child FROM unnest($1::bigint[]) u(job)"
            "  JOIN job_child d ON d.parent = u.job) e"
            " WHERE j.id = e.child AND j.state = 'blocked'"
            " AND NOT EXISTS (SELECT 1 FROM job_dep d JOIN job p ON p.id = d.parent"
            "                 WHERE d.child = j.id AND p.state <> 'succeeded')"
            " RETURNING j.id, j.attempt, " JOB_RANK ", j.class",
            PG_ARGS(PG_INTS(jobs, n)), err)
        != 0)
        return -1;
    ready->items = xgrow(ready->items, &ready->capacity, ready->n + (size_t)rows.n,
                         sizeof *ready->items);
    for (int i = 0; i < rows.n; i++)
        ready->items[ready->n++] = (struct job_ready){.id = pg_int_at(&rows, i, 0),
                                                      .attempt = pg_int_at(&rows, i, 1),
                                                      .rank = pg_int_at(&rows, i, 2),
                                                      .class = pg_int_at(&rows, i, 3)};
    pg_rows_release(&rows);
    return 0;
}

int
hot_success(struct pg *pg, struct hot_success *ends, size_t n,
            struct job_ready_list *ready, struct err *err)
{
    int64_t *jobs = xcalloc(n, sizeof *jobs);
    size_t done = 0;
    int rc = move_to_success(pg, ends, n, err);

    for (size_t i = 0; rc == 0 && i < n; i++)
        if (ends[i].done)
            jobs[done++] = ends[i].job;
    if (rc == 0 && done > 0
        && (add_finals(pg, ends, n, err) != 0 || clear_traces(pg, jobs, done, err) != 0
            || release_children(pg, jobs, done, ready, err) != 0))
        rc = -1;
    free(jobs);
    return rc;
}
