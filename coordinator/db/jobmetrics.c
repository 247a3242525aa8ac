/* jobmetrics.c - the measurements of one job as one document. Read-only. */
#include "coordinator/db/jobmetrics.h"

#include "coordinator/db/handle.h"

#define FINITE               "CASE WHEN m.value BETWEEN -1e300 AND 1e300 THEN m.value END"
#define MILLISECONDS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

/* $1: the job. */
static const char *const metrics_sql =
    "WITH point AS (SELECT DISTINCT ON (k.name, m.step) k.name, k.unit, m.step, " FINITE
    "   AS value FROM metric m JOIN metric_key k ON k.id = m.key WHERE m.job = $1"
    "   ORDER BY k.name, m.step, m.attempt DESC, m.seq DESC),"
    " curve AS (SELECT name, min(unit) AS unit, json_agg(json_build_array(step, value)"
    "   ORDER BY step) AS points FROM point GROUP BY name)"
    " SELECT json_build_object('id', j.id, 'digest', s.digest, 'method', s.method,"
    "  'stage', s.stage, 'state', j.state, 'attempt', j.attempt, 'params',"
    "  s.spec -> 'params', 'seconds', a.seconds, 'worker', w.name, 'started_ms', " MILLISECONDS("a.started_at") ", 'ended_ms', " MILLISECONDS(
        "a.ended_at") ","
                      "  'finals', (SELECT coalesce(json_agg(json_build_object('name', k.name, 'value', " FINITE
                      ", 'unit', k.unit, 'goal', k.goal) ORDER BY k.name), '[]')"
                      "   FROM metric_final m JOIN metric_key k ON k.id = m.key WHERE m.job = j.id),"
                      "  'curves', (SELECT coalesce(json_agg(json_build_object('name', name, 'unit', unit,"
                      "   'points', points) ORDER BY name), '[]') FROM curve))"
                      " FROM job j JOIN job_spec s ON s.job = j.id"
                      " LEFT JOIN attempt a ON a.job = j.id AND a.attempt = j.attempt"
                      " LEFT JOIN worker w ON w.id = a.worker WHERE j.id = $1";

int
db_job_metrics(struct db *db, int64_t job, json_t **out, struct err *err)
{
    if (pg_json(db->pg, out, metrics_sql, PG_ARGS(PG_INT(job)), err) != 0)
        return -1;
    if (*out == NULL)
        return err_set(err, ERR_USAGE, "there is no job %lld", (long long)job);
    return 0;
}
