/*
 * joblist.c - jobs for people: lists, and everything about one of them. Read-only.
 */
#include <stdlib.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/why.h"

/* The row of a job. */
#define JOB_ROW                                                              \
    "json_build_object('id', j.id, 'digest', s.digest, 'method', s.method,"  \
    " 'stage', s.stage, 'state', j.state, 'attempt', j.attempt,"             \
    " 'params', s.spec -> 'params', 'seconds', a.seconds, 'worker', w.name," \
    " 'outcome', a.outcome, 'cause', j.cause,"                               \
    " 'error', CASE WHEN j.state = 'upstream_failed' THEN"                   \
    "   'job ' || j.cause || ' failed' ELSE a.error END)"
#define JOB_FROM                                                     \
    " FROM job j JOIN job_spec s ON s.job = j.id"                    \
    " LEFT JOIN attempt a ON a.job = j.id AND a.attempt = j.attempt" \
    " LEFT JOIN worker w ON w.id = coalesce(a.worker, j.worker)"

static int
find_selected(struct db *db, const struct db_selection *sel, int64_t *job,
              struct err *err)
{
    *job = 0;
    return sel->job != NULL ? jobs_find(db->pg, sel->job, job, err) : 0;
}

int
db_jobs(struct db *db, const struct db_selection *sel, int64_t after, int64_t limit,
        json_t **out, struct err *err)
{
    const char *state = sel->state ? sel->state : "";
    int64_t job;

    if (jobs_check_state(db->pg, state, err) != 0
        || find_selected(db, sel, &job, err) != 0)
        return -1;
    return pg_json(db->pg, out,
                   "SELECT json_build_object('jobs', coalesce(json_agg(x.row"
                   " ORDER BY x.id), '[]')) FROM (SELECT j.id, " JOB_ROW
                   " AS row" JOB_FROM " WHERE " OF_SWEEP_OR_ALL(
                       "$1") " AND ($2 = '' OR j.state::text = $2)"
                             " AND ($3::bigint = 0 OR j.id = $3) AND j.id > $4"
                             " ORDER BY j.id LIMIT $5) x",
                   PG_ARGS(PG_INT(sel->sweep), PG_TEXT(state), PG_INT(job),
                           PG_INT(after), PG_INT(limit)),
                   err);
}

/* Members that a list does not have; $1: the job. */
static const char *const details_sql =
    "SELECT json_build_object('spec', s.spec,"
    " 'parents', (SELECT coalesce(json_agg(json_build_object('id', p.id, 'stage',"
    "   ps.stage, 'state', p.state, 'input', d.input) ORDER BY p.id), '[]')"
    "   FROM job_dep d JOIN job p ON p.id = d.parent JOIN job_spec ps ON ps.job = p.id"
    "   WHERE d.child = j.id),"
    " 'children', (SELECT coalesce(json_agg(json_build_object('id', c.id, 'stage',"
    "   cs.stage, 'state', c.state) ORDER BY c.id), '[]') FROM job_child d"
    "   JOIN job c ON c.id = d.child JOIN job_spec cs ON cs.job = c.id"
    "   WHERE d.parent = j.id),"
    " 'twin', (SELECT json_build_object('job', o.id, 'again', t.again = j.id,"
    "   'worker', w.name, 'host', w.host) FROM job_twin t JOIN job o"
    "   ON o.id = CASE WHEN t.again = j.id THEN t.first ELSE t.again END"
    "   LEFT JOIN worker w ON w.id = o.worker"
    "   WHERE t.again = j.id OR t.first = j.id LIMIT 1),"
    " 'sweeps', (SELECT coalesce(json_agg(DISTINCT w.name), '[]') FROM sweep w"
    "   JOIN sweep_span k ON k.sweep = w.id WHERE k.jobs @> j.id),"
    " 'attempts', (SELECT coalesce(json_agg(json_build_object('attempt', a.attempt,"
    "   'worker', w.name, 'host', w.host, 'leased_at', a.leased_at, 'started_at',"
    "   a.started_at, 'ended_at', a.ended_at, 'outcome', a.outcome, 'error', a.error,"
    "   'fingerprint', a.fingerprint, 'exit_code', a.exit_code, 'signal', a.signal,"
    "   'seconds', a.seconds, 'peak_rss_bytes', a.peak_rss_bytes, 'provenance',"
    "   a.provenance) ORDER BY a.attempt), '[]') FROM attempt a"
    "   JOIN worker w ON w.id = a.worker WHERE a.job = j.id),"
    " 'metrics', (SELECT coalesce(jsonb_object_agg(k.name, jsonb_build_object('value',"
    "   CASE WHEN m.value BETWEEN -1e300 AND 1e300 THEN m.value END, 'unit', k.unit,"
    "   'goal', k.goal)), '{}') FROM metric_final m JOIN metric_key k ON k.id = m.key"
    "   WHERE m.job = j.id),"
    " 'artifacts', (SELECT coalesce(json_agg(json_build_object('name', f.name, 'sha',"
    "   b.sha, 'size', b.size) ORDER BY f.name), '[]') FROM artifact f"
    "   JOIN blob b ON b.id = f.blob WHERE f.job = j.id),"
    " 'checkpoint', (SELECT json_build_object('step', h.step, 'attempt', h.attempt,"
    "   'sha', b.sha, 'size', b.size) FROM checkpoint_head h JOIN blob b ON b.id ="
    "   h.blob WHERE h.job = j.id AND h.place = 0),"
    " 'events', (SELECT coalesce(json_agg(json_build_object('at', e.at, 'kind', e.kind,"
    "   'attempt', e.attempt, 'detail', e.detail) ORDER BY e.id), '[]') FROM event e"
    "   WHERE e.job = j.id))" JOB_FROM " WHERE j.id = $1";

int
db_job(struct db *db, const char *job, json_t **out, struct err *err)
{
    json_t *details = NULL, *why = NULL;
    int64_t id;

    *out = NULL;
    if (jobs_find(db->pg, job, &id, err) != 0
        || pg_json(db->pg, out, "SELECT " JOB_ROW JOB_FROM " WHERE j.id = $1",
                   PG_ARGS(PG_INT(id)), err)
               != 0
        || pg_json(db->pg, &details, details_sql, PG_ARGS(PG_INT(id)), err) != 0
        || why_find(db->pg, id, &why, err) != 0) {
        json_decref(*out);
        json_decref(details);
        *out = NULL;
        return -1;
    }
    json_object_update(*out, details);
    json_object_set_new(*out, "why", why);
    json_decref(details);
    return 0;
}

int
db_artifacts(struct db *db, const struct db_selection *sel, json_t **out,
             struct err *err)
{
    const char *state = sel->state ? sel->state : "";
    int64_t job;

    if (jobs_check_state(db->pg, state, err) != 0
        || find_selected(db, sel, &job, err) != 0)
        return -1;
    return pg_json(
        db->pg, out,
        "SELECT json_build_object('artifacts', coalesce(json_agg(json_build_object("
        " 'job', j.id, 'stage', s.stage, 'attempt', x.attempt, 'name', x.name,"
        " 'sha', b.sha, 'size', b.size, 'kind', x.kind) ORDER BY j.id, x.kind, x.name),"
        " '[]')) FROM (SELECT job, attempt, name, blob, 'artifact' AS kind FROM artifact"
        "  UNION ALL SELECT job, attempt, 'checkpoint-' || step, blob, 'checkpoint'"
        "  FROM checkpoint_head) x JOIN job j ON j.id = x.job"
        " JOIN job_spec s ON s.job = j.id JOIN blob b ON b.id = x.blob WHERE " OF_SWEEP_OR_ALL(
            "$1") " AND ($2 = '' OR j.state::text = $2) AND ($3::bigint = 0 OR j.id = $3)",
        PG_ARGS(PG_INT(sel->sweep), PG_TEXT(state), PG_INT(job)), err);
}
