/*
 * verified.c - do jobs that were done twice have the same numbers?
 */
#include "coordinator/db/verified.h"

#include <stdlib.h>

#include "coordinator/db/handle.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/twins.h"
#include "shared/base/mem.h"

#define TEXT_OF(x)   #x
#define STRINGIFY(x) TEXT_OF(x)

/* Of the larger value, between jobs that were done with other kernels. */
#define TOLERANCE 0.01

/* With which kernels a job was done. */
#define NUMERICS(job)                                                               \
    "(SELECT concat_ws(' ', t.provenance ->> 'backend', t.provenance ->> 'engine'," \
    " t.provenance ->> 'blas_core', t.provenance ->> 'profile') FROM attempt t"     \
    " WHERE t.job = " job ".id AND t.attempt = " job ".attempt"                     \
    " AND t.provenance IS NOT NULL)"

#define OF_SWEEP SWEEP_JOBS("$1")

/* $1: the sweep. */
static const char *const verified_sql =
    "WITH pair AS (SELECT t.first AS a, t.again AS b, f.stage, ja.state = 'succeeded'"
    "   AND jb.state = 'succeeded' AS done, ja.worker AS wa, jb.worker AS wb,"
    "   coalesce(" NUMERICS("ja") " <> " NUMERICS(
        "jb") ", false) AS foreign"
              "  FROM job_twin t JOIN job_def o ON o.job = t.first JOIN job_form f ON f.id = o.form"
              "  JOIN job ja ON ja.id = t.first JOIN job jb ON jb.id = t.again"
              "  WHERE t.again IN " OF_SWEEP "),"
              " value AS (SELECT p.a, k.name, x.value AS va, y.value AS vb, coalesce("
              "   float8send(x.value) = float8send(y.value), false) AS same, coalesce("
              "   abs(x.value - y.value) <= " STRINGIFY(
                  TOLERANCE) "    * greatest(abs(x.value), abs(y.value)), false) AS near"
                             "  FROM pair p JOIN metric_final x ON x.job = p.a"
                             "  JOIN metric_key k ON k.id = x.key AND k.unit NOT IN ('s', 'images/s')"
                             "  LEFT JOIN metric_final y ON y.job = p.b AND y.key = x.key WHERE p.done)"
                             " SELECT coalesce(json_agg(json_build_object('job', p.a, 'repeat', p.b, 'stage',"
                             "   p.stage, 'done', p.done, 'metrics', (SELECT count(*) FROM value v WHERE v.a = p.a),"
                             "   'equal', (SELECT count(*) FROM value v WHERE v.a = p.a AND v.same),"
                             "   'near', (SELECT count(*) FROM value v WHERE v.a = p.a AND (v.same OR v.near)),"
                             "   'foreign', p.foreign, 'tolerance', " STRINGIFY(
                                 TOLERANCE) ","
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
        rc = twins_add(pg, ids + first, places, n, err);
    if (n > 0 && rc == 0)
        rc = pg_query(pg, NULL,
                      "UPDATE job SET place = coalesce(o.place, o.id)"
                      " FROM unnest($1::bigint[], $2::bigint[]) x (again, first)"
                      " JOIN job o ON o.id = x.first WHERE job.id = x.again",
                      PG_ARGS(PG_INTS(ids + first, n), PG_INTS(places, n)), err);
    free(places);
    return rc;
}
