/*
 * verified.c - do jobs that were done twice have the same numbers? A re-run's spec is
 * that of the other one with "repeat": 1 in it, which gives the other one's digest.
 */
#include "coordinator/db/verified.h"

#include "coordinator/db/handle.h"

#define MARK "'},\"repeat\":1,\"revision\":'"

/* $1: the sweep. */
static const char *const verified_sql =
    "WITH again AS (SELECT s.job, encode(sha256(convert_to(replace(s.spec::text, " MARK
    ", '},\"revision\":'), 'UTF8')), 'hex') AS digest FROM job_spec s"
    "  WHERE position(" MARK " IN s.spec::text) > 0),"
    " pair AS (SELECT o.job AS a, g.job AS b, o.stage, ja.state = 'succeeded'"
    "   AND jb.state = 'succeeded' AS done, ja.worker AS wa, jb.worker AS wb FROM again g"
    "  JOIN job_spec o ON o.digest = g.digest JOIN job ja ON ja.id = o.job"
    "  JOIN job jb ON jb.id = g.job WHERE o.job IN (SELECT k.job FROM cell_job k"
    "   JOIN cell c ON c.id = k.cell WHERE c.sweep = $1)),"
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

/* Most sweeps have none, and to look for them takes long where there are many jobs. */
int
db_verified(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    int64_t one;
    bool may;

    *out = NULL;
    if (pg_number(db->pg, &one, &may,
                  "SELECT 1 FROM sweep WHERE id = $1 AND text LIKE '%verify%'",
                  PG_ARGS(PG_INT(sweep)), err)
        != 0)
        return -1;
    if (!may) {
        *out = json_array();
        return 0;
    }
    return pg_json(db->pg, out, verified_sql, PG_ARGS(PG_INT(sweep)), err);
}
