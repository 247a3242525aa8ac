/*
 * hot.c - lease and start of many jobs at once. Invariant: each statement names attempt
 * and state that it expects, and finds its rows by number.
 */
#include "coordinator/db/hot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/db/hot_find.h"
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

size_t
hot_find(const void *items, size_t size, size_t n, size_t from, int64_t job)
{
    for (size_t k = 0; k < n; k++) {
        const size_t i = (from + k) % n;
        if (*(const int64_t *)((const char *)items + i * size) == job)
            return i;
    }
    return n;
}

/* ---- lease ------------------------------------------------------------------------ */

static int
ask_leases(struct pg *pg, const struct hot_lease *leases, size_t n, struct err *err)
{
    int64_t *v = xcalloc(3 * n, sizeof *v);

    for (size_t i = 0; i < n; i++) {
        v[i] = leases[i].job;
        v[n + i] = leases[i].attempt;
        v[2 * n + i] = leases[i].worker;
    }
    const int rc = pg_send(
        pg,
        "UPDATE job j SET state = 'leased', attempt = u.attempt,"
        " not_before = NULL, worker = u.worker, leased_at = now()"
        " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"
        "  u(job, attempt, worker) JOIN job_spec s ON s.job = u.job"
        " WHERE j.id = u.job AND j.attempt = u.attempt - 1 AND j.state = 'ready'"
        " RETURNING u.job, s.digest, s.text, cardinality(s.parents)",
        PG_ARGS(PG_INTS(v, n), PG_INTS(v + n, n), PG_INTS(v + 2 * n, n)), err);
    free(v);
    return rc;
}

static int
ask_checkpoints(struct pg *pg, const int64_t *jobs, size_t n, struct err *err)
{
    return pg_send(pg,
                   "SELECT c.job, b.sha, b.size, c.step"
                   " FROM unnest($1::bigint[]) u(job)"
                   " JOIN checkpoint_head c ON c.job = u.job"
                   " JOIN blob b ON b.id = c.blob",
                   PG_ARGS(PG_INTS(jobs, n)), err);
}

static int
ask_inputs(struct pg *pg, const int64_t *jobs, size_t n, struct err *err)
{
    return pg_send(pg,
                   "SELECT d.child, d.input, a.name, b.sha, b.size"
                   " FROM unnest($1::bigint[]) u(job)"
                   " JOIN job_dep d ON d.child = u.job"
                   " JOIN artifact a ON a.job = d.parent AND a.name = 'model'"
                   " JOIN blob b ON b.id = a.blob ORDER BY d.child, d.input",
                   PG_ARGS(PG_INTS(jobs, n)), err);
}

static void
take_lease(struct hot_lease *l, const struct pg_rows *rows, int row)
{
    l->done = true;
    l->digest = xstrdup(pg_text_at(rows, row, 1));
    l->spec = xstrdup(pg_text_at(rows, row, 2));
    l->has_parents = pg_int_at(rows, row, 3) > 0;
}

static void
take_checkpoint(struct hot_lease *l, const struct pg_rows *rows, int row)
{
    snprintf(l->resume.sha, sizeof l->resume.sha, "%s", pg_text_at(rows, row, 1));
    l->resume.size = pg_int_at(rows, row, 2);
    l->resume.step = pg_int_at(rows, row, 3);
}

static void
take_input(struct hot_lease *l, const struct pg_rows *rows, int row)
{
    struct artifact_inputs *in = &l->inputs;

    in->items = xgrow(in->items, &in->capacity, in->n + 1, sizeof *in->items);
    struct artifact_input *item = &in->items[in->n++];
    item->stage = xstrdup(pg_text_at(rows, row, 1));
    item->name = xstrdup(pg_text_at(rows, row, 2));
    snprintf(item->sha, sizeof item->sha, "%s", pg_text_at(rows, row, 3));
    item->size = pg_int_at(rows, row, 4);
}

typedef void take_row_fn(struct hot_lease *l, const struct pg_rows *rows, int row);

/* The next answer, row by row to the leases. */
static int
take_rows(struct pg *pg, struct hot_lease *leases, size_t n, take_row_fn *fn,
          struct err *err)
{
    struct pg_rows rows;
    size_t at = 0;

    if (pg_take(pg, &rows, err) != 0)
        return -1;
    for (int i = 0; i < rows.n; i++) {
        at = hot_find(leases, sizeof *leases, n, at, pg_int_at(&rows, i, 0));
        if (at < n)
            fn(&leases[at], &rows, i);
    }
    pg_rows_release(&rows);
    return 0;
}

/* Leases of jobs that had attempts before, or that have parents. */
static size_t
list_jobs(const struct hot_lease *leases, size_t n, bool again, int64_t *out)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (leases[i].done && (again ? leases[i].attempt > 1 : leases[i].has_parents))
            out[count++] = leases[i].job;
    return count;
}

/* What a job goes on from, and what it is given. */
static int
load_rest(struct pg *pg, struct hot_lease *leases, size_t n, struct err *err)
{
    int64_t *jobs = xcalloc(2 * n, sizeof *jobs);
    const size_t n_again = list_jobs(leases, n, true, jobs);
    const size_t n_inputs = list_jobs(leases, n, false, jobs + n);
    int rc = 0;

    if (n_again > 0)
        rc = ask_checkpoints(pg, jobs, n_again, err);
    if (rc == 0 && n_inputs > 0)
        rc = ask_inputs(pg, jobs + n, n_inputs, err);
    if (rc == 0 && n_again > 0)
        rc = take_rows(pg, leases, n, take_checkpoint, err);
    if (rc == 0 && n_inputs > 0)
        rc = take_rows(pg, leases, n, take_input, err);
    free(jobs);
    return rc;
}

int
hot_lease(struct pg *pg, struct hot_lease *leases, size_t n, struct err *err)
{
    return ask_leases(pg, leases, n, err) == 0
                   && take_rows(pg, leases, n, take_lease, err) == 0
                   && load_rest(pg, leases, n, err) == 0
               ? 0
               : -1;
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
        at = hot_find(starts, sizeof *starts, n, at, pg_int_at(&rows, i, 0));
        if (at < n)
            starts[at].done = true;
    }
    pg_rows_release(&rows);
    return 0;
}
