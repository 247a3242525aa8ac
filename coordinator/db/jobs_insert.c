/*
 * jobs_insert.c - the jobs of a sweep into the queue. What is there already is found by
 * digest; the rest is copied in, rows in the order of the dag. Numbers of new jobs are
 * taken ahead, so that edges can be written without asking for them. Runs under
 * LOCK_EDIT: nobody else makes jobs meanwhile.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/jobs.h"
#include "shared/base/mem.h"

struct insertion {
    const struct dag *d;
    int64_t *ids;     /* of all jobs, 0: not known */
    int64_t first;    /* of the new jobs; those below were there */
    bool *settle;     /* of the new jobs: jobs_settle must look at it */
    size_t job, edge; /* where a copy stands */
};

/* ---- what is there --------------------------------------------------------------- */

static bool
next_digest(void *ctx, struct buf *row)
{
    struct insertion *x = ctx;

    if (x->job == x->d->n_jobs)
        return false;
    buf_printf(row, "%zu\t%s", x->job, dag_digest(x->d, x->job));
    x->job++;
    return true;
}

static int
stage_digests(struct pg *pg, struct insertion *x, struct err *err)
{
    if (pg_script(pg,
                  "CREATE TEMP TABLE IF NOT EXISTS submitted (i int, digest text)"
                  " ON COMMIT DELETE ROWS; TRUNCATE submitted",
                  err)
            != 0
        || pg_copy(pg, "COPY submitted FROM STDIN", next_digest, x, err) != 0)
        return -1;
    return pg_script(pg, "ANALYZE submitted", err);
}

/* Numbers and states of the jobs that were there before. */
static int
find_known(struct pg *pg, struct insertion *x, struct db_submitted *out,
           struct err *err)
{
    struct pg_rows rows;

    if (pg_query(
            pg, &rows,
            "SELECT s.i, j.id, (j.state = 'succeeded')::int, (j.state IN ('failed',"
            " 'quarantined', 'upstream_failed'))::int FROM submitted s"
            " JOIN job_spec x ON x.digest = s.digest JOIN job j ON j.id = x.job",
            PG_NONE, err)
        != 0)
        return -1;
    for (int r = 0; r < rows.n; r++) {
        x->ids[pg_int_at(&rows, r, 0)] = pg_int_at(&rows, r, 1);
        out->done += pg_int_at(&rows, r, 2);
        out->failed += pg_int_at(&rows, r, 3);
    }
    out->other = rows.n - out->done - out->failed;
    out->new_jobs = out->jobs - rows.n;
    pg_rows_release(&rows);
    return 0;
}

/* ---- what is new ----------------------------------------------------------------- */

static int
number_new(struct pg *pg, struct insertion *x, int64_t n, struct err *err)
{
    int64_t last;

    if (pg_number(pg, &last, NULL,
                  "WITH s AS (SELECT pg_get_serial_sequence('job_spec', 'job') AS name)"
                  " SELECT setval(name, nextval(name) + $1 - 1) FROM s",
                  PG_ARGS(PG_INT(n)), err)
        != 0)
        return -1;
    x->first = last - n + 1;
    int64_t id = x->first;
    for (size_t i = 0; i < x->d->n_jobs; i++)
        if (x->ids[i] == 0)
            x->ids[i] = id++;
    return 0;
}

/* The next new job at or after x->job; false where there is none. */
static bool
next_new(struct insertion *x, size_t *job)
{
    while (x->job < x->d->n_jobs && x->ids[x->job] < x->first)
        x->job++;
    *job = x->job;
    if (x->job == x->d->n_jobs)
        return false;
    x->job++;
    return true;
}

/* The spec travels as text: what is stored is what was hashed, byte for byte. */
static bool
next_spec(void *ctx, struct buf *row)
{
    struct insertion *x = ctx;
    size_t job;

    if (!next_new(x, &job))
        return false;
    const struct dag_stage *of = x->d->jobs[job].of;
    struct buf spec = {0};
    dag_spec(&spec, x->d, job);
    buf_printf(row, "%" PRId64 "\t%s\t%s\t%s\t", x->ids[job], dag_digest(x->d, job),
               of->part->space.method->name, of->stage->name);
    pg_copy_text(row, buf_str(&spec));
    buf_release(&spec);
    return true;
}

static bool
next_id(void *ctx, struct buf *row)
{
    struct insertion *x = ctx;
    size_t job;

    if (!next_new(x, &job))
        return false;
    buf_printf(row, "%" PRId64, x->ids[job]);
    return true;
}

/* Where all parents are new, and theirs too, a job stays blocked until they are done;
 * others may be ready, or will never be. */
static void
find_unsettled(struct insertion *x)
{
    x->settle = xcalloc(x->d->n_jobs + 1, sizeof *x->settle);
    for (size_t i = 0; i < x->d->n_jobs; i++) {
        size_t n;
        const uint32_t *parents = dag_parents(x->d, i, &n);
        bool settle = n == 0;
        for (size_t k = 0; k < n; k++)
            settle = settle || x->ids[parents[k]] < x->first
                     || (x->settle[parents[k]] && x->d->jobs[parents[k]].n_parents > 0);
        x->settle[i] = settle;
    }
}

static bool
next_unsettled(void *ctx, struct buf *row)
{
    struct insertion *x = ctx;
    size_t job;

    while (next_new(x, &job))
        if (x->settle[job]) {
            buf_printf(row, "%" PRId64, x->ids[job]);
            return true;
        }
    return false;
}

/* Edges of the new job x->job from x->edge on, then of the next one. */
static bool
next_edge(void *ctx, struct buf *row)
{
    struct insertion *x = ctx;

    for (; x->job < x->d->n_jobs; x->job++, x->edge = 0) {
        size_t n;
        const uint32_t *parents = dag_parents(x->d, x->job, &n);
        if (x->ids[x->job] < x->first || x->edge == n)
            continue;
        const uint32_t parent = parents[x->edge++];
        buf_printf(row, "%" PRId64 "\t%" PRId64 "\t%s", x->ids[x->job], x->ids[parent],
                   x->d->jobs[parent].of->stage->name);
        return true;
    }
    return false;
}

static int
copy(struct pg *pg, struct insertion *x, const char *sql, pg_next_fn next,
     struct err *err)
{
    x->job = x->edge = 0;
    return pg_copy(pg, sql, next, x, err);
}

static int
insert_new(struct pg *pg, struct insertion *x, struct err *err)
{
    if (copy(pg, x, "COPY job_spec (job, digest, method, stage, spec) FROM STDIN",
             next_spec, err)
            != 0
        || copy(pg, x, "COPY job (id) FROM STDIN", next_id, err) != 0
        || copy(pg, x, "COPY selection FROM STDIN", next_unsettled, err) != 0
        || copy(pg, x, "COPY job_dep (child, parent, input) FROM STDIN", next_edge, err)
               != 0)
        return -1;
    return pg_script(pg, "ANALYZE selection", err);
}

/* A cancelled job that is submitted again is wanted again. */
static int
take_back_cancelled(struct pg *pg, struct err *err)
{
    return pg_script(
        pg,
        "WITH back AS (UPDATE job j SET state = 'blocked', cause = NULL, n_error = 0,"
        "  n_lost = 0, n_oom = 0, n_timeout = 0, n_stopped = 0, not_before = NULL"
        "  FROM submitted s JOIN job_spec x ON x.digest = s.digest"
        "  WHERE j.id = x.job AND (j.state = 'cancelled' OR (j.state = 'upstream_failed'"
        "   AND (SELECT c.state FROM job c WHERE c.id = j.cause) = 'cancelled'))"
        "  RETURNING j.id) INSERT INTO selection SELECT id FROM back",
        err);
}

int
jobs_insert(struct pg *pg, const struct dag *d, int64_t *ids, struct db_submitted *out,
            struct err *err)
{
    struct insertion x = {.d = d, .ids = ids};

    if (jobs_new_selection(pg, err) != 0 || stage_digests(pg, &x, err) != 0
        || find_known(pg, &x, out, err) != 0
        || (out->new_jobs < out->jobs && take_back_cancelled(pg, err) != 0))
        return -1;
    if (out->new_jobs == 0)
        return 0;
    if (number_new(pg, &x, out->new_jobs, err) != 0)
        return -1;
    find_unsettled(&x);
    const int rc = insert_new(pg, &x, err);
    free(x.settle);
    return rc;
}
