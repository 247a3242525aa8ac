/*
 * verified.c - do jobs that were done twice have the same numbers? A re-run's spec is
 * that of the other one with "repeat": 1 in it, which gives the other one's digest.
 */
#include "coordinator/db/verified.h"

#include <stdlib.h>

#include "coordinator/db/handle.h"
#include "coordinator/db/jobs.h"
#include "shared/base/mem.h"

#define MARK "'},\"repeat\":1,\"revision\":'"

#define OF_SWEEP SWEEP_JOBS("$1")

/* $1: the sweep. */
static const char *const verified_sql =
    "WITH again AS (SELECT d.job, sha256(convert_to(replace(s.text, " MARK
    ", '},\"revision\":'), 'UTF8')) AS digest FROM job_form f"
    "  JOIN job_def d ON d.form = f.id JOIN job_spec s ON s.job = d.job"
    "  WHERE position(" MARK " IN f.template) > 0 AND d.job IN " OF_SWEEP "),"
    " pair AS (SELECT o.job AS a, g.job AS b, f.stage, ja.state = 'succeeded'"
    "   AND jb.state = 'succeeded' AS done, ja.worker AS wa, jb.worker AS wb FROM again g"
    "  JOIN job_def o ON o.digest = g.digest JOIN job_form f ON f.id = o.form"
    "  JOIN job ja ON ja.id = o.job JOIN job jb ON jb.id = g.job),"
    " value AS (SELECT p.a, k.name, x.value AS va, y.value AS vb, coalesce("
    "   float8send(x.value) = float8send(y.value), false) AS same"
    "  FROM pair p JOIN metric_final x ON x.job = p.a"
    "  JOIN metric_key k ON k.id = x.key AND k.unit NOT IN ('s', 'images/s')"
    "  LEFT JOIN metric_final y ON y.job = p.b AND y.key = x.key WHERE p.done)"
    " SELECT coalesce(json_agg(json_build_object('job', p.a, 'repeat', p.b, 'stage',"
    "   p.stage, 'done', p.done, 'metrics', (SELECT count(*) FROM value v WHERE v.a = p.a),"
    "   'equal', (SELECT count(*) FROM value v WHERE v.a = p.a AND v.same),"
    "   'workers', json_build_array(w.name, u.name),"
    "   'hosts', json_build_array(w.host, u.host), 'worst',"
    "   (SELECT json_build_object('name', v.name, 'values', json_build_array(v.va, v.vb))"
    "    FROM value v WHERE v.a = p.a AND NOT v.same"
    "    ORDER BY abs(v.va - v.vb) DESC NULLS FIRST, v.name LIMIT 1)) ORDER BY p.a), '[]')"
    " FROM pair p LEFT JOIN worker w ON w.id = p.wa LEFT JOIN worker u ON u.id = p.wb";

int
db_verified(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    return pg_json(db->pg, out, verified_sql, PG_ARGS(PG_INT(sweep)), err);
}

int
verified_place(struct pg *pg, const struct dag *d, const int64_t *ids, struct err *err)
{
    const size_t n = d->n_repeats, first = d->n_jobs - n;
    int64_t *places = xcalloc(n + 1, sizeof *places);
    int rc = 0;

    for (size_t i = 0; i < n; i++)
        places[i] = ids[d->repeated[i]];
    if (n > 0)
        rc = pg_query(pg, NULL,
                      "UPDATE job SET place = coalesce(o.place, o.id)"
                      " FROM unnest($1::bigint[], $2::bigint[]) x (again, first)"
                      " JOIN job o ON o.id = x.first WHERE job.id = x.again",
                      PG_ARGS(PG_INTS(ids + first, n), PG_INTS(places, n)), err);
    free(places);
    return rc;
}
