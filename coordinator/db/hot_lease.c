/*
 * hot_lease.c - lease of many jobs at once, in one way to the server: the fenced move, and
 * what the jobs are. Specs are composed here: the server does not print what it knows by
 * heart. Only jobs with parents, and those that ran before, cause a second way, and that
 * one after the commit: what it reads belongs to the lease.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/hot.h"
#include "coordinator/db/hot_find.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

/* ---- the move --------------------------------------------------------------------- */

/* An attempt that is not asked for is -1, which follows on none. */
static int
ask_dense(struct pg *pg, const struct hot_lease *leases, size_t n,
          const struct hot_span *span, struct err *err)
{
    int64_t *attempt = xcalloc(2 * span->size, sizeof *attempt);
    int64_t *worker = attempt + span->size;

    for (size_t i = 0; i < span->size; i++)
        attempt[i] = -1;
    for (size_t i = 0; i < n; i++) {
        attempt[leases[i].job - span->first] = leases[i].attempt;
        worker[leases[i].job - span->first] = leases[i].worker;
    }
    const int rc =
        pg_send(pg,
                "UPDATE job j SET state = 'leased', attempt = j.attempt + 1,"
                " not_before = NULL, worker = " HOT_AT(
                    4, "j.id") ", leased_at = now()"
                               " WHERE j.id BETWEEN $1::bigint AND $2::bigint"
                               " AND j.attempt + 1 = " HOT_AT(
                                   3, "j.id") " AND j.state = 'ready'"
                                              " RETURNING j.id",
                PG_ARGS(PG_INT(span->first), PG_INT(span->last),
                        PG_INTS(attempt, span->size), PG_INTS(worker, span->size)),
                err);
    free(attempt);
    return rc;
}

static int
ask_scattered(struct pg *pg, const struct hot_lease *leases, size_t n, struct err *err)
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
        "  u(job, attempt, worker)"
        " WHERE j.id = u.job AND j.attempt = u.attempt - 1 AND j.state = 'ready'"
        " RETURNING j.id",
        PG_ARGS(PG_INTS(v, n), PG_INTS(v + n, n), PG_INTS(v + 2 * n, n)), err);
    free(v);
    return rc;
}

static int
ask_leases(struct pg *pg, const struct hot_lease *leases, size_t n,
           const struct hot_span *span, struct err *err)
{
    return span->dense ? ask_dense(pg, leases, n, span, err)
                       : ask_scattered(pg, leases, n, err);
}

/* ---- what they are ---------------------------------------------------------------- */

#define DEF "SELECT d.job, d.form, d.digest, d.vals, cardinality(d.parents) FROM "

/* Jobs with numbers in a row, as they mostly are, are one look into the index. */
static int
ask_defs(struct pg *pg, const struct hot_lease *leases, size_t n,
         const struct hot_span *span, struct err *err)
{
    if (span->size == n)
        return pg_send(pg, DEF "job_def d WHERE d.job BETWEEN $1 AND $2 ORDER BY d.job",
                       PG_ARGS(PG_INT(span->first), PG_INT(span->last)), err);
    int64_t *jobs = xcalloc(n, sizeof *jobs);
    for (size_t i = 0; i < n; i++)
        jobs[i] = leases[i].job;
    const int rc =
        pg_send(pg, DEF "unnest($1::bigint[]) u(job) JOIN job_def d ON d.job = u.job",
                PG_ARGS(PG_INTS(jobs, n)), err);
    free(jobs);
    return rc;
}

static int
take_leases(struct pg *pg, struct hot_lease *leases, size_t n, struct err *err)
{
    struct pg_rows rows;

    if (pg_take(pg, &rows, err) != 0)
        return -1;
    hot_mark(leases, sizeof *leases, n, offsetof(struct hot_lease, done), &rows);
    pg_rows_release(&rows);
    return 0;
}

static struct sha256
digest_at(const struct pg_rows *rows, int row, int column)
{
    unsigned char raw[SHA256_RAW] = {0};
    size_t n;
    const void *bytes = pg_bytes_at(rows, row, column, &n);

    memcpy(raw, bytes, n < sizeof raw ? n : sizeof raw);
    return sha256_of_raw(raw);
}

static void
take_def(struct hot_lease *l, const struct pg_rows *rows, int row)
{
    if (!l->done)
        return;
    l->form = pg_int_at(rows, row, 1);
    l->digest = xstrdup(digest_at(rows, row, 2).hex);
    l->vals = xstrdup(pg_text_at(rows, row, 3));
    l->has_parents = pg_int_at(rows, row, 4) > 0;
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

/* ---- what they go on from, and are given ------------------------------------------- */

static int
ask_checkpoints(struct pg *pg, const int64_t *jobs, size_t n, struct err *err)
{
    return pg_send(pg,
                   "SELECT c.job, b.sha, b.size, c.step"
                   " FROM unnest($1::bigint[]) u(job)"
                   " JOIN checkpoint_head c ON c.job = u.job AND c.place = 0"
                   " JOIN blob b ON b.id = c.blob",
                   PG_ARGS(PG_INTS(jobs, n)), err);
}

static int
ask_parents(struct pg *pg, const int64_t *jobs, size_t n, struct err *err)
{
    return pg_send(
        pg,
        "SELECT d.job, f.stage, p.digest, a.name, b.sha, b.size"
        " FROM unnest($1::bigint[]) u(job)"
        " JOIN job_def d ON d.job = u.job"
        " CROSS JOIN LATERAL unnest(d.parents) e(parent)"
        " JOIN job_def p ON p.job = e.parent JOIN job_form f ON f.id = p.form"
        " LEFT JOIN artifact a ON a.job = e.parent AND a.name = 'model'"
        " LEFT JOIN blob b ON b.id = a.blob"
        " ORDER BY d.job, f.stage COLLATE \"C\"",
        PG_ARGS(PG_INTS(jobs, n)), err);
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
    item->name = xstrdup(pg_text_at(rows, row, 3));
    snprintf(item->sha, sizeof item->sha, "%s", pg_text_at(rows, row, 4));
    item->size = pg_int_at(rows, row, 5);
}

static void
take_parent(struct hot_lease *l, const struct pg_rows *rows, int row)
{
    buf_printf(&l->parents, "%s\"%s\":\"%s\"", l->parents.len > 0 ? "," : "",
               pg_text_at(rows, row, 1), digest_at(rows, row, 2).hex);
    if (!pg_null_at(rows, row, 3))
        take_input(l, rows, row);
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

static int
load_rest(struct pg *pg, struct hot_lease *leases, size_t n, struct err *err)
{
    int64_t *jobs = xcalloc(2 * n, sizeof *jobs);
    const size_t n_again = list_jobs(leases, n, true, jobs);
    const size_t n_children = list_jobs(leases, n, false, jobs + n);
    int rc = 0;

    if (n_again > 0)
        rc = ask_checkpoints(pg, jobs, n_again, err);
    if (rc == 0 && n_children > 0)
        rc = ask_parents(pg, jobs + n, n_children, err);
    if (rc == 0 && n_again > 0)
        rc = take_rows(pg, leases, n, take_checkpoint, err);
    if (rc == 0 && n_children > 0)
        rc = take_rows(pg, leases, n, take_parent, err);
    free(jobs);
    return rc;
}

/* ---- specs ------------------------------------------------------------------------ */

static int
load_forms(struct pg *pg, struct forms *forms, const struct hot_lease *leases, size_t n,
           struct err *err)
{
    int64_t *ids = xcalloc(n, sizeof *ids);
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        if (leases[i].done)
            ids[count++] = leases[i].form;
    const int rc = forms_load(forms, pg, ids, count, err);
    free(ids);
    return rc;
}

static int
compose(struct hot_lease *l, const struct forms *forms, struct err *err)
{
    struct buf spec = {0};
    const int rc =
        forms_spec(&spec, forms, l->form, buf_str(&l->parents), l->vals, err);

    if (rc != 0) {
        buf_release(&spec);
        return err_wrap(err, "job %lld", (long long)l->job);
    }
    l->spec = buf_take(&spec);
    return 0;
}

/* One that cannot be described does not keep the others from it. */
static int
compose_all(struct pg *pg, struct forms *forms, struct hot_lease *leases, size_t n,
            struct err *err)
{
    int rc = 0;

    if (load_forms(pg, forms, leases, n, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (leases[i].done && compose(&leases[i], forms, err) != 0)
            rc = -1;
    return rc;
}

void
hot_lease_forget(struct hot_lease *leases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(leases[i].vals);
        leases[i].vals = NULL;
        buf_release(&leases[i].parents);
    }
}

int
hot_lease(struct pg *pg, struct hot_lease *leases, size_t n, struct err *err)
{
    const struct hot_span span = hot_span(leases, sizeof *leases, n);

    return ask_leases(pg, leases, n, &span, err) == 0
                   && ask_defs(pg, leases, n, &span, err) == 0
                   && take_leases(pg, leases, n, err) == 0
                   && take_rows(pg, leases, n, take_def, err) == 0
               ? 0
               : -1;
}

int
hot_describe(struct pg *pg, struct forms *forms, struct hot_lease *leases, size_t n,
             struct err *err)
{
    return load_rest(pg, leases, n, err) == 0 ? compose_all(pg, forms, leases, n, err)
                                              : -1;
}
