/*
 * policy.c - how a sweep's jobs are run, from its file into the tables: limits and needs
 * (rules.c), the order spread, on_failure; and machines that rest. Only writer of
 * host_rest. Invariant: stopping a sweep holds jobs, it loses none.
 */
#include "coordinator/db/policy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/events.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/rules.h"
#include "coordinator/db/spread.h"
#include "coordinator/db/sweeps.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

enum { REST_MINUTES = 15, ALIKE_JOBS = 3 };

/* ---- order: spread ----------------------------------------------------------------- */

struct value {
    const char *text;
    int percent;
    double number;
};

static int
by_number(const void *a, const void *b)
{
    const struct value *x = a, *y = b;

    if (x->percent != y->percent)
        return x->percent - y->percent;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* Budgets of a sweep in ascending order; texts are borrowed from rows. */
static struct value *
sort_values(const struct pg_rows *rows)
{
    struct value *values = xcalloc((size_t)rows->n + 1, sizeof *values);

    for (int i = 0; i < rows->n; i++) {
        values[i].text = pg_text_at(rows, i, 0);
        values[i].percent = strchr(values[i].text, '%') != NULL;
        values[i].number = strtod(values[i].text, NULL);
    }
    qsort(values, (size_t)rows->n, sizeof *values, by_number);
    return values;
}

/* The jobs of a sweep change places among each other: those of a cell whose budget has
 * its turn earlier come first, all repetitions of a turn together. A shared job goes with
 * the first cell that needs it. */
static int
place_jobs(struct pg *pg, int64_t sweep, const struct pg_rows *rows, struct err *err)
{
    const size_t n = (size_t)rows->n;
    struct value *values = sort_values(rows);
    const char **texts = xcalloc(n + 1, sizeof *texts);
    int64_t *turns = xcalloc(n + 1, sizeof *turns);

    spread_turns(turns, n);
    for (size_t i = 0; i < n; i++)
        texts[i] = values[i].text;
    const int rc = pg_query(
        pg, NULL,
        "WITH x AS (SELECT k.job AS id, min(v.turn) AS turn"
        "  FROM unnest($2::text[], $3::bigint[]) v(text, turn)"
        "  JOIN cell c ON c.sweep = $1 AND c.params ->> 'relu_budget' = v.text"
        "  JOIN cell_job k ON k.cell = c.id GROUP BY k.job),"
        " a AS (SELECT id, row_number() OVER (ORDER BY turn, id) AS n FROM x),"
        " b AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM x)"
        " UPDATE job SET place = b.id FROM a JOIN b USING (n) WHERE job.id = a.id",
        PG_ARGS(PG_INT(sweep), PG_TEXTS(texts, n), PG_INTS(turns, n)), err);
    free(values);
    free(texts);
    free(turns);
    return rc;
}

static int
spread(struct pg *pg, int64_t sweep, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(pg, &rows,
                 "SELECT DISTINCT params ->> 'relu_budget' FROM cell WHERE sweep = $1"
                 " AND params ? 'relu_budget'",
                 PG_ARGS(PG_INT(sweep)), err)
        != 0)
        return -1;
    const int rc = place_jobs(pg, sweep, &rows, err);
    pg_rows_release(&rows);
    return rc;
}

/* ---- from the file ----------------------------------------------------------------- */

/* The limits of the file take the place of what the sweep had. */
static int
set_limits(struct pg *pg, int64_t sweep, const json_t *limits, struct err *err)
{
    const json_t *row;
    size_t i;

    if (limits == NULL)
        return 0;
    if (pg_query(pg, NULL, "DELETE FROM job_limit WHERE sweep = $1",
                 PG_ARGS(PG_INT(sweep)), err)
        != 0)
        return -1;
    json_array_foreach(limits, i, row)
    {
        const struct db_limit limit = {.sweep = sweep,
                                       .stage = json_str(row, "stage", ""),
                                       .label = json_str(row, "label", ""),
                                       .most = json_int(row, "most", 0)};
        if (rules_set_limit(pg, &limit, err) != 0)
            return -1;
    }
    return 0;
}

int
policy_apply(struct pg *pg, int64_t sweep, const json_t *policy, struct err *err)
{
    const json_t *rule = json_object_get(policy, "on_failure");
    char *text = rule != NULL ? json_canonical(rule) : NULL;
    const int rc = pg_query(pg, NULL, "UPDATE sweep SET on_failure = $2 WHERE id = $1",
                            PG_ARGS(PG_INT(sweep), PG_TEXT(text)), err);

    free(text);
    if (rc != 0 || set_limits(pg, sweep, json_object_get(policy, "limits"), err) != 0
        || rules_classify(pg, sweep, json_object_get(policy, "terms"), err) != 0)
        return -1;
    return strcmp(json_str(policy, "order", ""), "spread") == 0 ? spread(pg, sweep, err)
                                                                : 0;
}

/* ---- when jobs fail ---------------------------------------------------------------- */

int
policy_blame_host(struct pg *pg, int64_t job, const char *fingerprint, bool *rests,
                  struct err *err)
{
    int64_t count;

    *rests = false;
    if (pg_change(
            pg, &count,
            "WITH here AS (SELECT w.host FROM job j JOIN worker w ON w.id = j.worker"
            "  WHERE j.id = $1),"
            " alike AS (SELECT a.job, w.host FROM attempt a"
            "  JOIN worker w ON w.id = a.worker WHERE a.fingerprint = $2"
            "  AND a.ended_at > now() - interval '1 hour')"
            " INSERT INTO host_rest (host, until, why)"
            " SELECT h.host, now() + $3 * interval '1 min', format("
            "  '%s jobs failed there in the same way, and other machines can do them',"
            "  (SELECT count(DISTINCT job) FROM alike)) FROM here h"
            " WHERE $4::bigint <= (SELECT count(DISTINCT a.job) FROM alike a"
            "   WHERE a.host = h.host)"
            " AND NOT EXISTS (SELECT 1 FROM alike a WHERE a.host <> h.host)"
            " AND EXISTS (SELECT 1 FROM alike a JOIN attempt o ON o.job = a.job"
            "  JOIN worker w ON w.id = o.worker"
            "  WHERE o.outcome = 'ok' AND w.host <> h.host)"
            " ON CONFLICT (host) DO UPDATE SET until = excluded.until,"
            "  why = excluded.why",
            PG_ARGS(PG_INT(job), PG_TEXT(fingerprint), PG_INT(REST_MINUTES),
                    PG_INT(ALIKE_JOBS)),
            err)
        != 0)
        return -1;
    *rests = count > 0;
    return 0;
}

/* Holds what a sweep has waiting. */
static int
stop_sweep(struct pg *pg, int64_t sweep, int64_t job, struct err *err)
{
    const struct db_selection sel = {.sweep = sweep};
    char *why = xasprintf("because job %" PRId64 " failed (on_failure)", job);
    int64_t count;
    int rc = -1;

    if (sweeps_mark_paused(pg, sweep, why, err) == 0 && jobs_select(pg, &sel, err) == 0
        && jobs_hold(pg, sweep, &count, err) == 0)
        rc = events_add(pg, job, 0, "stopped", why, err);
    log_warn("dispatch", "sweep=%" PRId64 " state=paused why=\"%s\"", sweep, why);
    free(why);
    return rc;
}

int
policy_stop_sweeps(struct pg *pg, int64_t job, bool *stopped, struct err *err)
{
    struct pg_rows rows;
    int rc = 0;

    if (pg_query(
            pg, &rows,
            "SELECT w.id FROM sweep w, LATERAL (SELECT count(*) FILTER (WHERE j.state"
            "   IN ('failed', 'quarantined')) AS failed,"
            "  count(*) FILTER (WHERE j.attempt > 0) AS started FROM job j"
            "  WHERE j.id IN " SWEEP_JOBS(
                "w.id") ") n"
                        " WHERE w.on_failure IS NOT NULL AND w.paused_at IS NULL"
                        " AND w.id IN (SELECT k.sweep FROM sweep_span k WHERE k.jobs @> $1::bigint)"
                        " AND n.failed >= (w.on_failure ->> 'failed')::bigint"
                        " AND n.failed * 100 >= (w.on_failure ->> 'percent')::bigint * n.started",
            PG_ARGS(PG_INT(job)), err)
        != 0)
        return -1;
    *stopped = rows.n > 0;
    for (int i = 0; rc == 0 && i < rows.n; i++)
        rc = stop_sweep(pg, pg_int_at(&rows, i, 0), job, err);
    pg_rows_release(&rows);
    return rc;
}
