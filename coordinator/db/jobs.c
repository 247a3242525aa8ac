/*
 * jobs.c - only writer of job, job_def, job_form and job_child: the coordinator's steps. A state
 * moves in one statement that names the state and the attempt that it expects, so that
 * whoever comes late changes nothing. What people's commands do is in jobs_edit.c.
 */
#include "coordinator/db/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

static void
take_ready(const struct pg_rows *rows, struct job_ready_list *out)
{
    out->items =
        xgrow(out->items, &out->capacity, out->n + (size_t)rows->n, sizeof *out->items);
    for (int i = 0; i < rows->n; i++)
        out->items[out->n++] = (struct job_ready){.id = pg_int_at(rows, i, 0),
                                                  .attempt = pg_int_at(rows, i, 1),
                                                  .rank = pg_int_at(rows, i, 2),
                                                  .class = pg_int_at(rows, i, 3),
                                                  .wait_ms = pg_int_at(rows, i, 4)};
}

#define READY_COLUMNS                                                       \
    "j.id, j.attempt, " JOB_RANK ", j.class::bigint,"                       \
    " CASE WHEN j.not_before IS NULL THEN 0 ELSE greatest(0, extract(epoch" \
    " FROM j.not_before - clock_timestamp()) * 1000) END::bigint"

enum { READY_N_COLUMNS = 5 };

static void
take_ready_row(void *ctx, const int64_t *row)
{
    struct job_ready_list *out = ctx;

    out->items = xgrow(out->items, &out->capacity, out->n + 1, sizeof *out->items);
    out->items[out->n++] = (struct job_ready){.id = row[0],
                                              .attempt = row[1],
                                              .rank = row[2],
                                              .class = row[3],
                                              .wait_ms = row[4]};
}

int
jobs_load_ready(struct pg *pg, struct job_ready_list *out, struct err *err)
{
    return pg_copy_out(pg,
                       "COPY (SELECT " READY_COLUMNS
                       " FROM job j WHERE state = 'ready') TO STDOUT (FORMAT binary)",
                       READY_N_COLUMNS, take_ready_row, out, err);
}

int
jobs_load_some(struct pg *pg, const int64_t *jobs, size_t n, struct job_ready_list *out,
               struct err *err)
{
    struct pg_rows rows;

    if (pg_query_again(pg, &rows,
                       "SELECT " READY_COLUMNS " FROM unnest($1::bigint[]) u(id)"
                       " JOIN job j ON j.id = u.id AND j.state = 'ready'",
                       PG_ARGS(PG_INTS(jobs, n)), err)
        != 0)
        return -1;
    take_ready(&rows, out);
    pg_rows_release(&rows);
    return 0;
}

static void
take_leased(const struct pg_rows *rows, struct job_leased_list *out)
{
    out->items =
        xgrow(out->items, &out->capacity, out->n + (size_t)rows->n, sizeof *out->items);
    for (int i = 0; i < rows->n; i++) {
        struct job_leased *l = &out->items[out->n++];
        l->id = pg_int_at(rows, i, 0);
        l->attempt = pg_int_at(rows, i, 1);
        l->class = pg_int_at(rows, i, 4);
        snprintf(l->boot, sizeof l->boot, "%s", pg_text_at(rows, i, 2));
        snprintf(l->name, sizeof l->name, "%s", pg_text_at(rows, i, 3));
    }
}

#define LEASED                                              \
    "SELECT j.id, j.attempt, w.boot, w.name, j.class FROM " \
    "job j JOIN worker w ON w.id = j.worker"

int
jobs_load_leased(struct pg *pg, struct job_leased_list *out, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(pg, &rows, LEASED " WHERE j.state = 'leased'", PG_NONE, err) != 0)
        return -1;
    take_leased(&rows, out);
    pg_rows_release(&rows);
    return 0;
}

/* Ready jobs of all spans, leased ones of those that changed. OFFSET keeps the server from
 * comparing all jobs with all spans, which it takes for long ones. */
static int
load_spans(struct pg *pg, struct job_news *out, const int64_t *first,
           const int64_t *last, const int64_t *changed, size_t n, struct err *err)
{
    struct pg_rows rows;

    if (pg_query_again(
            pg, &rows,
            "SELECT r.* FROM unnest($1::bigint[], $2::bigint[]) u(first, last)"
            " CROSS JOIN LATERAL (SELECT " READY_COLUMNS
            "  FROM job j WHERE j.id BETWEEN u.first AND u.last"
            "  AND j.state = 'ready' OFFSET 0) r",
            PG_ARGS(PG_INTS(first, n), PG_INTS(last, n)), err)
        != 0)
        return -1;
    take_ready(&rows, &out->ready);
    pg_rows_release(&rows);
    if (out->n_changed == 0)
        return 0;
    if (pg_query_again(
            pg, &rows,
            "SELECT l.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"
            " u(first, last, changed) CROSS JOIN LATERAL (" LEASED
            "  WHERE j.id BETWEEN u.first AND u.last AND j.state = 'leased' OFFSET 0) l"
            " WHERE u.changed = 1",
            PG_ARGS(PG_INTS(first, n), PG_INTS(last, n), PG_INTS(changed, n)), err)
        != 0)
        return -1;
    take_leased(&rows, &out->leased);
    pg_rows_release(&rows);
    return 0;
}

/* They come in the order of their first numbers. */
static void
add_span(struct job_news *out, int64_t first, int64_t last)
{
    if (out->n_changed > 0 && first <= out->changed[out->n_changed - 1].last) {
        int64_t *end = &out->changed[out->n_changed - 1].last;
        *end = last > *end ? last : *end;
        return;
    }
    out->changed =
        xgrow(out->changed, &out->capacity, out->n_changed + 1, sizeof *out->changed);
    out->changed[out->n_changed++] = (struct job_span){first, last};
}

int
jobs_take_news(struct pg *pg, struct job_news *out, struct err *err)
{
    struct pg_rows rows;
    int rc = pg_query_again(pg, &rows,
                            "WITH n AS (DELETE FROM news RETURNING *)"
                            " SELECT job, last, changed::int,"
                            " set_config('synchronous_commit', 'off', true)"
                            " FROM n ORDER BY job, id",
                            PG_NONE, err);

    if (rc != 0)
        return -1;
    const size_t n = (size_t)rows.n;
    int64_t *first = xcalloc(3 * n + 1, sizeof *first);
    int64_t *last = first + n, *changed = last + n;
    out->many = false;
    for (size_t i = 0; i < n; i++) {
        out->many = out->many || pg_null_at(&rows, (int)i, 0);
        first[i] = pg_int_at(&rows, (int)i, 0);
        last[i] = pg_int_at(&rows, (int)i, 1);
        changed[i] = pg_int_at(&rows, (int)i, 2);
        if (changed[i] != 0)
            add_span(out, first[i], last[i]);
    }
    pg_rows_release(&rows);
    if (n > 0 && !out->many)
        rc = load_spans(pg, out, first, last, changed, n, err);
    free(first);
    return rc;
}

int
jobs_finish(struct pg *pg, int64_t job, int64_t attempt, const char *state,
            const char *counter, int64_t wait_ms, bool *done, struct err *err)
{
    int64_t changed;

    if (pg_change(pg, &changed,
                  "UPDATE job SET state = $3::job_state,"
                  " n_error = n_error + ($4 = 'n_error')::int,"
                  " n_lost = n_lost + ($4 = 'n_lost')::int,"
                  " n_oom = n_oom + ($4 = 'n_oom')::int,"
                  " n_timeout = n_timeout + ($4 = 'n_timeout')::int,"
                  " n_stopped = n_stopped + ($4 = 'n_stopped')::int,"
                  " not_before = CASE WHEN $5::bigint > 0"
                  "              THEN clock_timestamp() + $5 * interval '1 ms' END"
                  " WHERE id = $1 AND attempt = $2 AND state = 'leased'",
                  PG_ARGS(PG_INT(job), PG_INT(attempt), PG_TEXT(state),
                          PG_TEXT(counter ? counter : ""), PG_INT(wait_ms)),
                  err)
        != 0)
        return -1;
    *done = changed == 1;
    return 0;
}

int
jobs_is_current(struct pg *pg, int64_t job, int64_t attempt, bool *current,
                struct err *err)
{
    int64_t one;

    return pg_number(pg, &one, current,
                     "SELECT 1 FROM job WHERE id = $1 AND attempt = $2"
                     " AND state = 'leased' FOR UPDATE",
                     PG_ARGS(PG_INT(job), PG_INT(attempt)), err);
}

int
jobs_spec(struct pg *pg, int64_t job, json_t **out, struct err *err)
{
    return pg_json(pg, out, "SELECT spec FROM job_spec WHERE job = $1",
                   PG_ARGS(PG_INT(job)), err);
}

#define RETRIES(kind) "coalesce((k.terms ->> 'retries_" kind "')::bigint, -1)"

int
jobs_counts(struct pg *pg, int64_t job, const char *fingerprint, struct job_counts *out,
            struct err *err)
{
    struct pg_rows rows;

    *out = (struct job_counts){0};
    if (pg_query(
            pg, &rows,
            "SELECT n_error, n_lost, n_oom, n_timeout,"
            " (SELECT count(*) FROM attempt a WHERE a.job = j.id"
            "  AND a.fingerprint = $2 AND a.attempt < j.attempt AND a.attempt"
            "   >= j.attempt - (n_error + n_lost + n_oom + n_timeout + n_stopped)),"
            " EXISTS (SELECT 1 FROM request r WHERE r.job = j.id"
            "  AND r.kind = 'cancel' AND r.done_at IS NULL)::int, " JOB_RANK ", class,"
            " (EXISTS (SELECT 1 FROM request r WHERE r.job = j.id AND r.kind = 'hold'"
            "   AND r.done_at IS NULL) OR coalesce((SELECT bool_and(w.paused_at"
            "   IS NOT NULL) FROM sweep_span k JOIN sweep w ON w.id = k.sweep"
            "   WHERE k.jobs @> j.id AND w.cancelled_at IS NULL), false))::int"
            ", " RETRIES("error") ", " RETRIES("lost") ", " RETRIES("oom") ", " RETRIES(
                "timeout") " FROM job j JOIN job_class k ON k.id = j.class WHERE j.id = $1",
            PG_ARGS(PG_INT(job), PG_TEXT(fingerprint)), err)
        != 0)
        return -1;
    if (rows.n > 0)
        *out = (struct job_counts){.error = pg_int_at(&rows, 0, 0),
                                   .lost = pg_int_at(&rows, 0, 1),
                                   .oom = pg_int_at(&rows, 0, 2),
                                   .timeout = pg_int_at(&rows, 0, 3),
                                   .same = pg_int_at(&rows, 0, 4),
                                   .cancel_requested = pg_int_at(&rows, 0, 5) != 0,
                                   .rank = pg_int_at(&rows, 0, 6),
                                   .class = pg_int_at(&rows, 0, 7),
                                   .hold = pg_int_at(&rows, 0, 8) != 0,
                                   .own_error = pg_int_at(&rows, 0, 9),
                                   .own_lost = pg_int_at(&rows, 0, 10),
                                   .own_oom = pg_int_at(&rows, 0, 11),
                                   .own_timeout = pg_int_at(&rows, 0, 12)};
    pg_rows_release(&rows);
    return 0;
}

int
jobs_release_children(struct pg *pg, int64_t job, struct job_ready_list *out,
                      struct err *err)
{
    struct pg_rows rows;

    if (pg_query(
            pg, &rows,
            "UPDATE job j SET state = 'ready' FROM job_child e"
            " WHERE e.parent = $1 AND j.id = e.child AND j.state = 'blocked'"
            " AND NOT EXISTS (SELECT 1 FROM job_dep d JOIN job p ON p.id = d.parent"
            "                 WHERE d.child = j.id AND p.state <> 'succeeded')"
            " RETURNING j.id, j.attempt, " JOB_RANK ", j.class, 0",
            PG_ARGS(PG_INT(job)), err)
        != 0)
        return -1;
    take_ready(&rows, out);
    pg_rows_release(&rows);
    return 0;
}

int
jobs_fail_dependants(struct pg *pg, int64_t job, int64_t *count, struct err *err)
{
    return pg_change(
        pg, count,
        "WITH RECURSIVE down(id) AS (SELECT child FROM job_child WHERE parent = $1"
        " UNION SELECT d.child FROM job_child d JOIN down ON d.parent = down.id)"
        " UPDATE job SET state = 'upstream_failed', cause = $1 FROM down"
        " WHERE job.id = down.id AND job.state IN ('blocked', 'held', 'ready')",
        PG_ARGS(PG_INT(job)), err);
}

int
jobs_find(struct pg *pg, const char *name, int64_t *id, struct err *err)
{
    struct pg_rows rows;
    int rc = 0;

    if (pg_query(pg, &rows,
                 "SELECT job FROM (SELECT job, 0 AS later FROM job_def WHERE job = CASE"
                 "  WHEN $1 ~ '^[0-9]{1,18}$' THEN $1::bigint END UNION SELECT job, 1"
                 "  FROM job_def WHERE $1 ~ '^[0-9a-f]{6,64}$' AND digest BETWEEN"
                 "   decode(rpad($1, 64, '0'), 'hex') AND decode(rpad($1, 64, 'f'),"
                 "   'hex')) x ORDER BY later LIMIT 2",
                 PG_ARGS(PG_TEXT(name)), err)
        != 0)
        return -1;
    if (rows.n == 0)
        rc = err_set(err, ERR_USAGE,
                     "there is no job `%s`; give its number or at least 6 digits of "
                     "its digest, as `relusweep jobs` shows them",
                     name);
    else if (rows.n > 1 && strspn(name, "0123456789") != strlen(name))
        rc = err_set(err, ERR_USAGE, "several jobs begin with `%s`; give more digits",
                     name);
    else
        *id = pg_int_at(&rows, 0, 0);
    pg_rows_release(&rows);
    return rc;
}
