/*
 * check.c - the invariants of the queue, each as a question whose answer is the rows that
 * break it. They are what the state machine, the fence and the transactions promise
 * together; nothing here knows how. Read-only.
 */
#include "coordinator/db/check.h"

#include "coordinator/db/checkblobs.h"
#include "coordinator/db/handle.h"

#define BAD "('failed', 'quarantined', 'cancelled', 'upstream_failed')"

static const struct invariant {
    const char *name, *sql; /* gives one text a row */
} invariants[] = {
    {"a job succeeds once",
     "SELECT 'job ' || job || ', ' || count(*) || ' times' FROM attempt"
     " WHERE outcome = 'ok' GROUP BY job HAVING count(*) > 1"},
    {"a job has succeeded when its newest attempt has, and only then",
     "SELECT 'job ' || j.id || ' is ' || j.state || ', ok: ' ||"
     "  coalesce(a.attempt::text, 'none') || ' of ' || j.attempt FROM job j"
     " LEFT JOIN attempt a ON a.job = j.id AND a.outcome = 'ok'"
     " WHERE (j.state = 'succeeded') <> (a.job IS NOT NULL) OR a.attempt <> j.attempt"},
    {"only the newest attempt of a job that runs is open",
     "SELECT 'job ' || a.job || ', attempt ' || a.attempt || ' of ' || j.attempt ||"
     "  ', ' || j.state FROM attempt a JOIN job j ON j.id = a.job"
     " WHERE (a.ended_at IS NULL OR a.outcome IS NULL)"
     " AND (j.state <> 'leased' OR a.attempt <> j.attempt)"},
    {"attempts are numbered without gaps",
     "SELECT 'job ' || j.id || ': ' || count(a.job) || ' of ' || j.attempt FROM job j"
     " LEFT JOIN attempt a ON a.job = j.id WHERE j.attempt > 0 GROUP BY j.id"
     " HAVING count(a.job) < j.attempt - (j.state = 'leased')::int"
     " OR max(a.attempt) > j.attempt"},
    {"attempts of a job do not overlap",
     "SELECT 'job ' || a.job || ', attempts ' || a.attempt || ' and ' || b.attempt"
     " FROM attempt a JOIN attempt b ON b.job = a.job AND b.attempt = a.attempt + 1"
     " WHERE b.leased_at < a.ended_at"},
    {"a job that runs has a worker",
     "SELECT 'job ' || j.id FROM job j LEFT JOIN worker w ON w.id = j.worker"
     " WHERE j.state = 'leased' AND (w.id IS NULL OR j.leased_at IS NULL)"},
    {"a job goes only when its parents are done",
     "SELECT 'job ' || j.id || ' is ' || j.state || ', job ' || p.id || ' is ' ||"
     "  p.state FROM job j JOIN job_dep d ON d.child = j.id JOIN job p ON p.id ="
     "  d.parent WHERE j.state IN ('ready', 'leased', 'succeeded')"
     " AND p.state <> 'succeeded'"},
    {"a blocked job waits for something that can happen",
     "SELECT 'job ' || j.id FROM job j WHERE j.state = 'blocked'"
     " AND (NOT EXISTS (SELECT 1 FROM job_dep d JOIN job p ON p.id = d.parent"
     "   WHERE d.child = j.id AND p.state <> 'succeeded')"
     "  OR EXISTS (SELECT 1 FROM job_dep d JOIN job p ON p.id = d.parent"
     "   WHERE d.child = j.id AND p.state IN " BAD "))"},
    {"edges are the same from both sides",
     "SELECT 'job ' || child || ' of ' || parent FROM"
     " ((TABLE job_child EXCEPT SELECT child, parent FROM job_dep)"
     "  UNION ALL (SELECT child, parent FROM job_dep EXCEPT TABLE job_child)) x"},
    {"the jobs of a cell are among those of its sweep",
     "SELECT 'cell ' || c.id || ', job ' || q.job FROM cell_def c"
     " JOIN cell_job q ON q.cell = c.id WHERE NOT EXISTS (SELECT FROM sweep_span k"
     "  WHERE k.sweep = c.sweep AND k.jobs @> q.job)"},
    {"what failed because of another job names one that ended badly",
     "SELECT 'job ' || j.id || ', because of ' || coalesce(p.id::text, 'none')"
     " FROM job j LEFT JOIN job p ON p.id = j.cause"
     " WHERE j.state = 'upstream_failed' AND (p.id IS NULL OR p.state NOT IN " BAD ")"},
    {"final metrics and artifacts are of the attempt that succeeded",
     "SELECT 'job ' || m.job || ', attempt ' || m.attempt FROM"
     " (SELECT DISTINCT job, attempt FROM metric_final"
     "  UNION SELECT job, attempt FROM artifact) m JOIN job j ON j.id = m.job"
     " WHERE m.attempt <> j.attempt OR j.state <> 'succeeded'"},
    {"stored bytes are whole",
     "SELECT 'blob ' || b.sha || ': ' || coalesce(sum(length(c.data)), 0) || ' of ' ||"
     "  b.size FROM blob b LEFT JOIN blob_chunk c ON c.blob = b.id WHERE b.stored"
     " AND b.folder IS NULL GROUP BY b.id HAVING coalesce(sum(length(c.data)), 0) <> b.size"},
    {"artifacts and checkpoints are stored",
     "SELECT 'job ' || x.job || ': blob ' || b.sha FROM"
     " (SELECT job, blob FROM artifact UNION ALL SELECT job, blob FROM checkpoint_head)"
     " x JOIN blob b ON b.id = x.blob WHERE NOT b.stored"},
    {"a checkpoint that is kept behind another one is older",
     "SELECT 'job ' || b.job FROM checkpoint_head b LEFT JOIN checkpoint_head n"
     " ON n.job = b.job AND n.place = 0 WHERE b.place = 1 AND (n.job IS NULL"
     " OR (n.attempt, n.step) < (b.attempt, b.step))"},
    {"a job that is done has no checkpoint and no progress",
     "SELECT 'job ' || j.id FROM job j WHERE j.state = 'succeeded' AND (EXISTS (SELECT 1"
     " FROM checkpoint_head c WHERE c.job = j.id) OR EXISTS (SELECT 1 FROM progress p"
     " WHERE p.job = j.id))"},
    {"a point of a curve is there once, and its batch is counted",
     "SELECT 'job ' || m.job || ', attempt ' || m.attempt || ', step ' || m.step"
     " FROM metric m LEFT JOIN attempt a ON (a.job, a.attempt) = (m.job, m.attempt)"
     " GROUP BY m.job, m.attempt, m.key, m.step"
     " HAVING count(*) > 1 OR max(m.seq) > coalesce(max(a.metric_seq), 0)"},
    {"every job has a class, and there is one leader",
     "SELECT 'job ' || j.id FROM job j WHERE NOT EXISTS (SELECT 1 FROM job_class k"
     "  WHERE k.id = j.class) UNION ALL SELECT 'leaders: ' || count(*) FROM leader"
     "  HAVING count(*) <> 1"},
};

static int
ask(struct db *db, const struct invariant *i, json_t *checks, int64_t *found,
    struct err *err)
{
    json_t *answer = NULL;
    char *sql = xasprintf(
        "SELECT json_build_object('found', count(*), 'rows', coalesce(json_agg(t)"
        " FILTER (WHERE n <= 10), '[]')) FROM (SELECT t, row_number() OVER () AS n"
        " FROM (%s) x(t)) y",
        i->sql);
    const int rc = pg_json(db->pg, &answer, sql, PG_NONE, err);

    free(sql);
    if (rc != 0)
        return err_wrap(err, "%s", i->name);
    *found += json_int(answer, "found", 0);
    json_object_set_new(answer, "name", json_string(i->name));
    json_array_append_new(checks, answer);
    return 0;
}

int
db_check(struct db *db, bool deep, json_t **out, struct err *err)
{
    json_t *checks = json_array();
    int64_t found = 0;
    int rc = pg_begin(db->pg, err);

    *out = NULL;
    if (rc == 0)
        rc = pg_script(
            db->pg, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
    for (size_t i = 0; rc == 0 && i < sizeof invariants / sizeof invariants[0]; i++)
        rc = ask(db, &invariants[i], checks, &found, err);
    pg_rollback(db->pg);
    if (rc == 0)
        rc = checkblobs_look(db, deep, checks, &found, err);
    if (rc == 0)
        *out = json_pack("{s:O, s:I}", "checks", checks, "found", (json_int_t)found);
    json_decref(checks);
    return rc;
}
