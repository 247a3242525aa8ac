/*
 * rules.c - only writer of job_class and job_limit, and of a job's class. A class is a
 * pair of what a job needs and which limits count it, found for many jobs at once. Where
 * nobody ever declared a limit or a need, all of this costs one look.
 */
#include "coordinator/db/rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "coordinator/db/jobs.h"
#include "shared/base/mem.h"

void
rules_release(struct rules *r)
{
    free(r->classes);
    free(r->limits);
    free(r->rests);
    *r = (struct rules){0};
}

/* ---- reading ---------------------------------------------------------------------- */

static void
take_limits_of_class(struct rules_class *c, const char *numbers)
{
    char *end;

    for (const char *at = numbers; *at != '\0' && c->n_limits < RULES_MAX_LIMITS;
         at = *end == ',' ? end + 1 : end)
        c->limits[c->n_limits++] = strtoll(at, &end, 10);
}

static int
take_classes(struct pg *pg, struct rules *out, struct err *err)
{
    struct pg_rows rows;

    if (pg_take(pg, &rows, err) != 0)
        return -1;
    out->classes = xcalloc((size_t)rows.n + 1, sizeof *out->classes);
    out->n_classes = (size_t)rows.n;
    for (int i = 0; i < rows.n; i++) {
        struct rules_class *c = &out->classes[i];
        c->id = pg_int_at(&rows, i, 0);
        take_limits_of_class(c, pg_text_at(&rows, i, 1));
        c->memory_bytes = pg_int_at(&rows, i, 2);
        c->threads = pg_int_at(&rows, i, 3);
        snprintf(c->labels, sizeof c->labels, "%s", pg_text_at(&rows, i, 4));
        snprintf(c->backend, sizeof c->backend, "%s", pg_text_at(&rows, i, 5));
        c->timeout_s = pg_int_at(&rows, i, 6);
        c->stall_s = pg_int_at(&rows, i, 7);
    }
    pg_rows_release(&rows);
    return 0;
}

static int
take_limits(struct pg *pg, struct rules *out, struct err *err)
{
    struct pg_rows rows;

    if (pg_take(pg, &rows, err) != 0)
        return -1;
    out->limits = xcalloc((size_t)rows.n + 1, sizeof *out->limits);
    out->n_limits = (size_t)rows.n;
    for (int i = 0; i < rows.n; i++)
        out->limits[i] = (struct rules_limit){.id = pg_int_at(&rows, i, 0),
                                              .most = pg_int_at(&rows, i, 1)};
    pg_rows_release(&rows);
    return 0;
}

static int
take_rests(struct pg *pg, struct rules *out, struct err *err)
{
    struct pg_rows rows;

    if (pg_take(pg, &rows, err) != 0)
        return -1;
    out->rests = xcalloc((size_t)rows.n + 1, sizeof *out->rests);
    out->n_rests = (size_t)rows.n;
    for (int i = 0; i < rows.n; i++) {
        snprintf(out->rests[i].host, sizeof out->rests[i].host, "%s",
                 pg_text_at(&rows, i, 0));
        out->rests[i].wait_ms = pg_int_at(&rows, i, 1);
    }
    pg_rows_release(&rows);
    return 0;
}

static int
ask(struct pg *pg, struct err *err)
{
    return pg_send(pg,
                   "SELECT id, array_to_string(limits, ','),"
                   " coalesce((terms ->> 'memory_bytes')::bigint, 0),"
                   " coalesce((terms ->> 'threads')::bigint, 0),"
                   " coalesce((SELECT string_agg(l, ',') FROM"
                   "  jsonb_array_elements_text(terms -> 'labels') l), ''),"
                   " coalesce(terms ->> 'backend', ''),"
                   " coalesce((terms ->> 'timeout_s')::bigint, 0),"
                   " coalesce((terms ->> 'stall_s')::bigint, 0) FROM job_class",
                   PG_NONE,
                   err) == 0
                   && pg_send(pg, "SELECT id, most FROM job_limit", PG_NONE, err) == 0
                   && pg_send(
                          pg,
                          "SELECT host, ceil(extract(epoch FROM until - clock_timestamp())"
                          " * 1000)::bigint FROM host_rest WHERE until > clock_timestamp()",
                          PG_NONE, err)
                          == 0
               ? 0
               : -1;
}

int
rules_load(struct pg *pg, struct rules *out, struct err *err)
{
    *out = (struct rules){0};
    if (ask(pg, err) == 0 && take_classes(pg, out, err) == 0
        && take_limits(pg, out, err) == 0 && take_rests(pg, out, err) == 0)
        return 0;
    rules_release(out);
    return -1;
}

/* ---- writing ---------------------------------------------------------------------- */

int
rules_set_limit(struct pg *pg, const struct db_limit *limit, struct err *err)
{
    if (limit->most < 0)
        return pg_query(
            pg, NULL,
            "DELETE FROM job_limit WHERE sweep IS NOT DISTINCT FROM"
            " nullif($1::bigint, 0) AND stage = $2 AND label = $3",
            PG_ARGS(PG_INT(limit->sweep), PG_TEXT(limit->stage), PG_TEXT(limit->label)),
            err);
    return pg_query(
        pg, NULL,
        "INSERT INTO job_limit (sweep, stage, label, most)"
        " VALUES (nullif($1::bigint, 0), $2, $3, $4)"
        " ON CONFLICT (sweep, stage, label) DO UPDATE SET most = excluded.most",
        PG_ARGS(PG_INT(limit->sweep), PG_TEXT(limit->stage), PG_TEXT(limit->label),
                PG_INT(limit->most)),
        err);
}

/* Does any job differ from class 0, or would it? */
static int
has_rules(struct pg *pg, bool *out, struct err *err)
{
    int64_t one;

    return pg_number(pg, &one, out,
                     "SELECT 1 WHERE EXISTS (SELECT 1 FROM job_limit)"
                     " OR EXISTS (SELECT 1 FROM job_class WHERE id <> 0)",
                     PG_NONE, err);
}

static int
find_classes(struct pg *pg, int64_t sweep, const char *terms, struct err *err)
{
    if (pg_script(pg,
                  "CREATE TEMP TABLE IF NOT EXISTS classed (job bigint, terms jsonb,"
                  " limits bigint[]) ON COMMIT DELETE ROWS; TRUNCATE classed",
                  err)
        != 0)
        return -1;
    return pg_query(
        pg, NULL,
        "INSERT INTO classed SELECT x.id, x.terms, coalesce((SELECT array_agg(l.id"
        "   ORDER BY l.id) FROM job_limit l WHERE l.stage IN ('', x.stage)"
        "   AND (l.label = '' OR x.terms -> 'labels' ? l.label)"
        "   AND (l.sweep IS NULL OR EXISTS (SELECT FROM sweep_span k"
        "    WHERE k.jobs @> x.id AND k.sweep = l.sweep))), '{}')"
        " FROM (SELECT j.id, s.stage, CASE WHEN $2::jsonb IS NULL THEN k.terms ELSE"
        "   coalesce($2::jsonb -> 'all', '{}') || coalesce($2::jsonb -> s.stage, '{}')"
        "   END AS terms FROM job j JOIN job_spec s ON s.job = j.id"
        "  JOIN job_class k ON k.id = j.class WHERE j.state <> 'succeeded'"
        "  AND " OF_SWEEP_OR_ALL("$1") ") x",
        PG_ARGS(PG_INT(sweep), PG_TEXT(terms)), err);
}

int
rules_classify(struct pg *pg, int64_t sweep, const json_t *terms, struct err *err)
{
    bool needed = json_object_size(terms) > 0;

    if (!needed && has_rules(pg, &needed, err) != 0)
        return -1;
    if (!needed)
        return 0;
    char *text = terms != NULL ? json_dumps(terms, JSON_COMPACT) : NULL;
    const int rc = find_classes(pg, sweep, text, err);
    free(text);
    if (rc != 0)
        return -1;
    return pg_script(
        pg,
        "INSERT INTO job_class (terms, limits) SELECT DISTINCT terms, limits"
        " FROM classed ON CONFLICT DO NOTHING;"
        "WITH moved AS (UPDATE job SET class = k.id FROM classed c JOIN job_class k"
        "  ON k.terms = c.terms AND k.limits = c.limits"
        "  WHERE job.id = c.job AND job.class <> k.id RETURNING job.id)" JOBS_TELL_CHANGED(
            "moved"),
        err);
}
