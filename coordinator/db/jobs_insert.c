/*
 * jobs_insert.c - the jobs of a sweep into the queue. What is there already is found by
 * digest; the rest is copied in, rows in the order of the dag. Numbers of new jobs are
 * taken ahead and in a row, so that edges can be written without asking for them. Runs
 * under LOCK_EDIT: nobody else makes jobs meanwhile.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/jobs.h"
#include "shared/base/mem.h"

/* A row of job_form. */
struct form {
    size_t job; /* one that has it */
    int64_t id;
};

struct insertion {
    struct dag *d;
    int64_t *ids;  /* of all jobs, 0: not known */
    int64_t first; /* of the new jobs; those below were there */
    bool *settle;  /* of the new jobs: jobs_settle must look at it */
    struct form *forms;
    size_t n_forms, form_capacity;
    uint32_t *form_of; /* of the new jobs: in forms */
    size_t job, edge;  /* where a copy stands */
};

/* ---- what is there --------------------------------------------------------------- */

static bool
next_digest(void *ctx, struct buf *row)
{
    struct insertion *x = ctx;

    if (x->job == x->d->n_jobs)
        return false;
    buf_printf(row, "%zu\t\\\\x%s", x->job, dag_digest(x->d, x->job));
    x->job++;
    return true;
}

static int
stage_digests(struct pg *pg, struct insertion *x, struct err *err)
{
    if (pg_script(pg,
                  "CREATE TEMP TABLE IF NOT EXISTS submitted (i int, digest bytea)"
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
            " JOIN job_def x ON x.digest = s.digest JOIN job j ON j.id = x.job",
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

/* A cancelled job that is submitted again is wanted again. */
static int
take_back_cancelled(struct pg *pg, struct err *err)
{
    return pg_script(
        pg,
        "WITH back AS (UPDATE job j SET state = 'blocked', cause = NULL, n_error = 0,"
        "  n_lost = 0, n_oom = 0, n_timeout = 0, n_stopped = 0, not_before = NULL"
        "  FROM submitted s JOIN job_def x ON x.digest = s.digest"
        "  WHERE j.id = x.job AND (j.state = 'cancelled' OR (j.state = 'upstream_failed'"
        "   AND (SELECT c.state FROM job c WHERE c.id = j.cause) = 'cancelled'))"
        "  RETURNING j.id) INSERT INTO selection SELECT id FROM back",
        err);
}

static int
look_up(struct pg *pg, struct insertion *x, struct db_submitted *out, struct err *err)
{
    dag_name_jobs(x->d);
    if (stage_digests(pg, x, err) != 0 || find_known(pg, x, out, err) != 0)
        return -1;
    return out->new_jobs < out->jobs ? take_back_cancelled(pg, err) : 0;
}

/* ---- what is new ----------------------------------------------------------------- */

static int
number_new(struct pg *pg, struct insertion *x, int64_t n, struct err *err)
{
    int64_t last;

    if (pg_number(pg, &last, NULL,
                  "WITH s AS (SELECT pg_get_serial_sequence('job_def', 'job') AS name)"
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

static bool
is_new(const struct insertion *x, size_t job)
{
    return x->ids[job] >= x->first;
}

/* Index of the job's form, a new one where there is none; `guess` is tried first. */
static uint32_t
form_of(struct insertion *x, size_t job, uint32_t guess)
{
    if (guess < x->n_forms && dag_same_form(x->d, x->forms[guess].job, job))
        return guess;
    for (size_t i = 0; i < x->n_forms; i++)
        if (dag_same_form(x->d, x->forms[i].job, job))
            return (uint32_t)i;
    x->forms = xgrow(x->forms, &x->form_capacity, x->n_forms + 1, sizeof *x->forms);
    x->forms[x->n_forms] = (struct form){.job = job};
    return (uint32_t)x->n_forms++;
}

/* Most often a job has the form of the one that is as far behind as the last time. */
static void
find_forms(struct insertion *x)
{
    uint32_t next = 0;

    x->form_of = xcalloc(x->d->n_jobs + 1, sizeof *x->form_of);
    for (size_t i = 0; i < x->d->n_jobs; i++)
        if (is_new(x, i)) {
            x->form_of[i] = form_of(x, i, next);
            next = (x->form_of[i] + 1) % (uint32_t)x->n_forms;
        }
}

/* Writes the forms that are not there. */
static int
save_forms(struct pg *pg, struct insertion *x, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < x->n_forms; i++) {
        struct form *f = &x->forms[i];
        const struct dag_stage *of = x->d->jobs[f->job].of;
        const char **names = xcalloc(of->n_slots + 1, sizeof *names);
        const size_t n = dag_value_names(names, x->d, f->job);
        struct buf text = {0};
        dag_template(&text, x->d, f->job);
        rc = pg_number(pg, &f->id, NULL,
                       "INSERT INTO job_form AS f (method, stage, names, template)"
                       " VALUES ($1, $2, $3, $4) ON CONFLICT (md5(template))"
                       " DO UPDATE SET names = excluded.names RETURNING f.id",
                       PG_ARGS(PG_TEXT(of->part->space.method->name),
                               PG_TEXT(of->stage->name), PG_TEXTS(names, n),
                               PG_TEXT(buf_str(&text))),
                       err);
        buf_release(&text);
        free(names);
    }
    return rc;
}

/* The next new job at or after x->job; false where there is none. */
static bool
next_new(struct insertion *x, size_t *job)
{
    while (x->job < x->d->n_jobs && !is_new(x, x->job))
        x->job++;
    *job = x->job;
    if (x->job == x->d->n_jobs)
        return false;
    x->job++;
    return true;
}

static bool
next_def(void *ctx, struct buf *row)
{
    struct insertion *x = ctx;
    struct buf values = {0};
    size_t job, n;

    if (!next_new(x, &job))
        return false;
    dag_name_jobs_to(x->d, job + 1);
    buf_printf(row, "%" PRId64 "\t\\\\x%s\t%" PRId64 "\t", x->ids[job],
               dag_digest(x->d, job), x->forms[x->form_of[job]].id);
    dag_values(&values, x->d, job);
    pg_copy_text(row, buf_str(&values));
    buf_release(&values);
    const uint32_t *parents = dag_parents(x->d, job, &n);
    for (size_t i = 0; i < n; i++)
        buf_printf(row, "%s%" PRId64, i == 0 ? "\t{" : ",", x->ids[parents[i]]);
    buf_puts(row, n > 0 ? "}" : "\t{}");
    return true;
}

/* What waits for nothing is ready at once. */
static bool
next_state(void *ctx, struct buf *row)
{
    struct insertion *x = ctx;
    size_t job;

    if (!next_new(x, &job))
        return false;
    buf_printf(row, "%" PRId64 "\t%s", x->ids[job],
               x->d->jobs[job].n_parents == 0 ? "ready" : "blocked");
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
        for (size_t k = 0; k < n; k++)
            x->settle[i] =
                x->settle[i] || !is_new(x, parents[k]) || x->settle[parents[k]];
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
        if (!is_new(x, x->job) || x->edge == n)
            continue;
        buf_printf(row, "%" PRId64 "\t%" PRId64, x->ids[parents[x->edge++]],
                   x->ids[x->job]);
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
copy_rows(struct pg *pg, struct insertion *x, struct err *err)
{
    if (copy(pg, x, "COPY job_def (job, digest, form, vals, parents) FROM STDIN",
             next_def, err)
            != 0
        || copy(pg, x, "COPY job (id, state) FROM STDIN", next_state, err) != 0
        || copy(pg, x, "COPY selection FROM STDIN", next_unsettled, err) != 0
        || copy(pg, x, "COPY job_child (parent, child) FROM STDIN", next_edge, err)
               != 0)
        return -1;
    return pg_script(pg, "ANALYZE selection", err);
}

/* Many rows are copied faster without these; made afterwards, an index is sorted. */
static const struct {
    const char *drop, *make;
} indexes[] = {
    {"DROP INDEX job_def_digest",
     "CREATE UNIQUE INDEX job_def_digest ON job_def (digest)"},
    {"ALTER TABLE job DROP CONSTRAINT job_pkey",
     "ALTER TABLE job ADD PRIMARY KEY (id)"},
    {"DROP INDEX job_child_parent",
     "CREATE INDEX job_child_parent ON job_child (parent)"},
};
enum { N_INDEXES = sizeof indexes / sizeof indexes[0], MANY = 10000 };

/* Locks the tables, so only while there are no jobs: then a coordinator that looks into
 * them waits for nothing that it could do. */
static int
fill_empty(struct pg *pg, struct insertion *x, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < N_INDEXES; i++)
        rc = pg_script(pg, indexes[i].drop, err);
    if (rc == 0)
        rc = copy_rows(pg, x, err);
    for (size_t i = 0; rc == 0 && i < N_INDEXES; i++)
        rc = pg_script(pg, indexes[i].make, err);
    return rc;
}

static int
insert_new(struct pg *pg, struct insertion *x, int64_t n, bool empty, struct err *err)
{
    if (number_new(pg, x, n, err) != 0)
        return -1;
    find_unsettled(x);
    find_forms(x);
    if (save_forms(pg, x, err) != 0)
        return -1;
    return empty && n >= MANY ? fill_empty(pg, x, err) : copy_rows(pg, x, err);
}

int
jobs_insert(struct pg *pg, struct dag *d, int64_t *ids, struct db_submitted *out,
            struct err *err)
{
    struct insertion x = {.d = d, .ids = ids};
    int64_t one;
    bool some;

    if (jobs_new_selection(pg, err) != 0
        || pg_number(pg, &one, &some, "SELECT 1 FROM job_def LIMIT 1", PG_NONE, err)
               != 0)
        return -1;
    out->new_jobs = out->jobs;
    if (some && look_up(pg, &x, out, err) != 0)
        return -1;
    if (out->new_jobs == 0)
        return 0;
    int rc = insert_new(pg, &x, out->new_jobs, !some, err);
    if (rc == 0)
        rc = jobs_tell(pg, x.first, x.first + out->new_jobs - 1, err);
    free(x.settle);
    free(x.form_of);
    free(x.forms);
    return rc;
}
