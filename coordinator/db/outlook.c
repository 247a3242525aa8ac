/* outlook.c - a sweep by its stages: counts, times, samples, curves. Read-only. */
#include "coordinator/db/outlook.h"

#include "coordinator/db/handle.h"

/* Jobs to estimate a stage from. */
enum { SAMPLE = 24 };

/* $1: sweep, $2: size of a sample. The sample is spread by a hash of the job's number,
 * for neighbours are alike. */
static const char *const outlook_sql =
    "WITH j AS (SELECT j.id, j.state, s.method, s.stage, a.seconds FROM"
    "  sweep_span k JOIN job j ON k.sweep = $1 AND j.id >= lower(k.jobs)"
    "   AND j.id < upper(k.jobs)"
    "  JOIN job_spec s ON s.job = j.id LEFT JOIN attempt a ON a.job = j.id"
    "   AND a.attempt = j.attempt AND a.outcome = 'ok'),"
    " stages AS (SELECT method, stage, min(id) AS first, count(*) AS jobs,"
    "  count(*) FILTER (WHERE state = 'succeeded') AS succeeded,"
    "  count(*) FILTER (WHERE state = 'leased') AS running,"
    "  count(*) FILTER (WHERE state IN ('blocked', 'ready', 'held')) AS waiting,"
    "  count(seconds) AS timed, avg(seconds) AS mean, stddev_samp(seconds) AS sd"
    "  FROM j GROUP BY method, stage),"
    " sampled AS (SELECT method, stage, json_agg(s.spec) AS specs FROM"
    "  (SELECT id, row_number() OVER (PARTITION BY method, stage ORDER BY hashint8(id))"
    "    AS place FROM j WHERE state IN ('blocked', 'ready', 'held')) x"
    "  JOIN job_spec s ON s.job = x.id WHERE x.place <= $2 GROUP BY method, stage),"
    " losses AS (SELECT DISTINCT ON (m.job, m.step) m.job, m.step, m.value FROM metric m"
    "  JOIN metric_key k ON k.id = m.key AND k.name = 'train/loss'"
    "  JOIN j ON j.id = m.job AND j.state = 'leased'"
    "  WHERE m.value BETWEEN -1e300 AND 1e300 ORDER BY m.job, m.step, m.attempt DESC)"
    " SELECT json_build_object('stages', (SELECT coalesce(json_agg(json_build_object("
    "   'method', method, 'stage', stage, 'jobs', jobs, 'succeeded', succeeded,"
    "   'running', running, 'waiting', waiting,"
    "   'bad', jobs - succeeded - running - waiting, 'timed', timed, 'mean', mean,"
    "   'sd', sd, 'sample', coalesce(specs, '[]')) ORDER BY first), '[]')"
    "   FROM stages LEFT JOIN sampled USING (method, stage)),"
    "  'curves', (SELECT coalesce(json_object_agg(job, curve), '{}') FROM"
    "   (SELECT job, json_agg(value ORDER BY step) AS curve FROM losses GROUP BY job)"
    "   x))";

int
db_outlook(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    return pg_json(db->pg, out, outlook_sql, PG_ARGS(PG_INT(sweep), PG_INT(SAMPLE)),
                   err);
}
