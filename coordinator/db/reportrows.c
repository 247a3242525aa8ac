/*
 * reportrows.c - the rows that a report is made from, see coordinator/report/report.h.
 * Read-only; one statement, so that a report is one moment of the database, but for the
 * re-runs, which change nothing that is in it.
 */
#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/verified.h"

/* Final metrics of a chain: the later stage's value of a name wins. The state of a cell
 * is that of the worst of its jobs. $1: the sweep. */
static const char *const report_sql =
    "WITH chain AS (SELECT c.id AS cell, k.place, j.id, s.digest, s.stage, j.state,"
    "   j.attempt, a.seconds, w.name AS worker, a.outcome, a.error, a.fingerprint,"
    "   a.provenance, j.cause"
    "  FROM cell c JOIN cell_job k ON k.cell = c.id JOIN job j ON j.id = k.job"
    "  JOIN job_spec s ON s.job = j.id"
    "  LEFT JOIN attempt a ON a.job = j.id AND a.attempt = j.attempt"
    "  LEFT JOIN worker w ON w.id = coalesce(a.worker, j.worker) WHERE c.sweep = $1),"
    " jobs AS (SELECT cell, json_agg(json_build_object('id', id, 'digest', digest,"
    "   'stage', stage, 'state', state, 'attempt', attempt, 'seconds', seconds,"
    "   'worker', worker, 'cause', cause, 'error',"
    "   CASE WHEN state IN ('failed', 'quarantined') THEN json_build_object('kind',"
    "    outcome, 'text', coalesce(error, ''), 'fingerprint', fingerprint) END,"
    "   'provenance', provenance) ORDER BY place) AS list,"
    "   bool_and(state = 'succeeded') AS done, bool_or(state = 'quarantined') AS"
    "   quarantined, bool_or(state = 'failed') AS failed, bool_or(state = 'cancelled')"
    "   AS cancelled, bool_or(state = 'upstream_failed') AS upstream,"
    "   bool_or(state = 'leased') AS running, bool_or(state = 'ready') AS ready"
    "  FROM chain GROUP BY cell),"
    " metrics AS (SELECT cell, jsonb_object_agg(name, jsonb_build_object('value', value,"
    "   'unit', unit, 'goal', goal) ORDER BY place) AS list"
    "  FROM (SELECT ch.cell, ch.place, k.name, k.unit, k.goal,"
    "    CASE WHEN m.value BETWEEN -1e300 AND 1e300 THEN m.value END AS value"
    "   FROM chain ch JOIN metric_final m ON m.job = ch.id"
    "   JOIN metric_key k ON k.id = m.key) x GROUP BY cell)"
    " SELECT json_build_object('name', w.name, 'title', w.title, 'file', w.text,"
    " 'sets', w.sets, 'revision', w.revision, 'report', w.report, 'axes', w.axes,"
    " 'cells', (SELECT coalesce(json_agg(json_build_object('params', c.params,"
    "   'written', c.written, 'state', CASE WHEN jobs.done THEN 'succeeded'"
    "    WHEN failed THEN 'failed' WHEN quarantined THEN 'quarantined'"
    "    WHEN cancelled THEN 'cancelled' WHEN upstream THEN 'upstream_failed'"
    "    WHEN running THEN 'running' WHEN ready THEN 'ready' ELSE 'blocked' END,"
    "   'jobs', coalesce(jobs.list, '[]'), 'metrics', coalesce(metrics.list, '{}'))"
    "   ORDER BY c.place), '[]') FROM cell c LEFT JOIN jobs ON jobs.cell = c.id"
    "   LEFT JOIN metrics ON metrics.cell = c.id WHERE c.sweep = w.id))"
    " FROM sweep w WHERE w.id = $1";

int
db_report(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    if (pg_json(db->pg, out, report_sql, PG_ARGS(PG_INT(sweep)), err) != 0)
        return -1;
    if (*out == NULL)
        return err_set(err, ERR_USAGE, "there is no sweep %lld", (long long)sweep);
    json_t *verified;
    if (db_verified(db, sweep, &verified, err) != 0)
        return -1;
    if (json_array_size(verified) > 0)
        json_object_set(*out, "verified", verified);
    json_decref(verified);
    return 0;
}
