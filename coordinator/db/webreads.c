/*
 * webreads.c - what the page asks: the moment, what has changed, sweeps, grids, workers,
 * the system. Read-only by the connection itself. Must not know HTTP or how anything is
 * drawn.
 */
#include "coordinator/db/webreads.h"

#include "coordinator/db/handle.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/locks.h"

/* A program that only looks must not hold anything up either: no second process of the
 * server for a page, no compiling for a query that takes 100 ms, no sorting on disk. */
static const char *const careful_sql =
    "SET default_transaction_read_only = on; SET jit = off; SET work_mem = '64MB';"
    "SET max_parallel_workers_per_gather = 0; SET statement_timeout = '20s';"
    "SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '30s';"
    "SET application_name = 'relusweep-web'";

int
db_web_open(struct db **out, const char *conninfo, struct err *err)
{
    if (db_open(out, conninfo, err) != 0)
        return -1;
    if (pg_script((*out)->pg, careful_sql, err) == 0)
        return 0;
    db_close(*out);
    *out = NULL;
    return -1;
}

/* What transactions are visible is all that the contents depend on. */
int
db_web_moment(struct db *db, struct buf *moment, struct err *err)
{
    struct pg_rows rows = {0};

    if (pg_query_again(db->pg, &rows, "SELECT pg_current_snapshot()::text", PG_NONE,
                       err)
        != 0)
        return -1;
    buf_puts(moment, pg_text_at(&rows, 0, 0));
    pg_rows_release(&rows);
    return 0;
}

int
db_web_begin(struct db *db, struct buf *moment, struct err *err)
{
    if (pg_script(db->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) == 0
        && db_web_moment(db, moment, err) == 0)
        return 0;
    pg_rollback(db->pg);
    return -1;
}

void
db_web_end(struct db *db)
{
    pg_rollback(db->pg); /* nothing was written */
}

/* ---- what has changed ------------------------------------------------------------ */

/* Rows tell by xmin which transaction wrote them last. $1: the first transaction that
 * was not visible last time, 0: none; $2: most jobs to list. Ages compare where numbers
 * wrap around. */
static const char *const changes_sql =
    "WITH since AS (SELECT age(pg_snapshot_xmin(pg_current_snapshot())::xid)"
    "   + (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - $1::bigint) AS age),"
    " changed AS (SELECT j.id, j.state, j.attempt FROM job j"
    "   WHERE $1 > 0 AND age(j.xmin) <= (SELECT age FROM since)"
    "  UNION SELECT j.id, j.state, j.attempt FROM progress p JOIN job j ON j.id = p.job"
    "   WHERE $1 > 0 AND age(p.xmin) <= (SELECT age FROM since)"
    "  UNION SELECT j.id, j.state, j.attempt FROM attempt a JOIN job j ON j.id = a.job"
    "   WHERE $1 > 0 AND age(a.xmin) <= (SELECT age FROM since) LIMIT $2 + 1),"
    " few AS (SELECT * FROM changed WHERE (SELECT count(*) FROM changed) <= $2)"
    " SELECT json_build_object("
    "  'next', pg_snapshot_xmin(pg_current_snapshot())::text::bigint,"
    "  'jobs', (SELECT coalesce(json_agg(json_build_array(id, state, attempt)"
    "    ORDER BY id), '[]') FROM few),"
    "  'sweeps', (SELECT coalesce(json_agg(sweep ORDER BY sweep), '[]') FROM (SELECT"
    "    DISTINCT k.sweep FROM few JOIN sweep_span k ON k.jobs @> few.id) x),"
    "  'all', $1 = 0 OR (SELECT count(*) FROM changed) > $2)";

int
db_web_changes(struct db *db, int64_t *since, int64_t limit, json_t **out,
               struct err *err)
{
    if (pg_json(db->pg, out, changes_sql, PG_ARGS(PG_INT(*since), PG_INT(limit)), err)
        != 0)
        return -1;
    *since = json_int(*out, "next", 0);
    json_object_del(*out, "next");
    return 0;
}

/* ---- sweeps ---------------------------------------------------------------------- */

#define SWEEP_ROW                                                               \
    "'id', w.id, 'name', w.name, 'title', w.title, 'revision', w.revision,"     \
    " 'submitted_at', w.submitted_at, 'cancelled', w.cancelled_at IS NOT NULL," \
    " 'cells', (SELECT count(*) FROM cell c WHERE c.sweep = w.id)"

static const char *const sweeps_sql =
    "WITH sj AS MATERIALIZED (SELECT k.sweep, j.id AS job FROM sweep_span k"
    "  JOIN job j ON j.id >= lower(k.jobs) AND j.id < upper(k.jobs)),"
    " counts AS (SELECT sweep, json_object_agg(state, n ORDER BY state) AS jobs,"
    "   sum(seconds) / 3600 AS hours FROM (SELECT sj.sweep, j.state, count(*) AS n,"
    "    sum(a.seconds) AS seconds FROM sj JOIN job j ON j.id = sj.job"
    "    LEFT JOIN attempt a ON a.job = j.id AND a.attempt = j.attempt"
    "    GROUP BY 1, 2) x GROUP BY sweep)"
    " SELECT json_build_object('sweeps', coalesce(json_agg(json_build_object(" SWEEP_ROW
    "  , 'jobs', coalesce(counts.jobs, '{}'), 'hours', coalesce(hours, 0))"
    "  ORDER BY w.submitted_at DESC, w.id DESC), '[]')) FROM sweep w"
    " LEFT JOIN counts ON counts.sweep = w.id";

int
db_web_sweeps(struct db *db, json_t **out, struct err *err)
{
    return pg_json(db->pg, out, sweeps_sql, PG_NONE, err);
}

/* Stages in the order of their first jobs, which is that of the chain. $1: the sweep. */
static const char *const sweep_sql =
    "WITH seen AS MATERIALIZED (SELECT s.stage, j.id, j.state, j.attempt, j.worker"
    "  FROM job j JOIN job_spec s ON s.job = j.id WHERE j.id IN " SWEEP_JOBS(
        "$1") "),"
              " states AS (SELECT stage, state, min(id) AS first, count(*) AS n FROM seen"
              "  GROUP BY stage, state),"
              " took AS (SELECT x.stage, avg(a.seconds) AS mean, count(*) AS n FROM seen x"
              "  JOIN attempt a ON a.job = x.id AND a.attempt = x.attempt"
              "  WHERE x.state = 'succeeded' AND a.seconds > 0 GROUP BY x.stage),"
              " stages AS (SELECT json_agg(json_build_object('stage', x.stage,"
              "   'states', x.states, 'mean_s', took.mean, 'n_ok', coalesce(took.n, 0))"
              "   ORDER BY x.first, x.stage) AS list FROM (SELECT stage, min(first) AS first,"
              "    json_object_agg(state, n ORDER BY state) AS states FROM states GROUP BY stage)"
              "   x LEFT JOIN took ON took.stage = x.stage),"
              " running AS (SELECT json_agg(json_build_object('job', x.id, 'stage', x.stage,"
              "   'attempt', x.attempt, 'epoch', p.epoch, 'epochs', p.epochs, 'step', p.step,"
              "   'steps', p.steps, 'images_per_second', p.images_per_second, 'loss',"
              "   CASE WHEN p.loss BETWEEN -1e300 AND 1e300 THEN p.loss END, 'seconds_left',"
              "   p.seconds_left, 'worker', w.name) ORDER BY x.id) AS list"
              "  FROM (SELECT * FROM seen WHERE state = 'leased' ORDER BY id LIMIT 50) x"
              "  LEFT JOIN worker w ON w.id = x.worker"
              "  LEFT JOIN progress p ON p.job = x.id AND p.attempt = x.attempt),"
              " failures AS (SELECT json_agg(json_build_object('fingerprint', fingerprint,"
              "   'text', text, 'kind', kind, 'stage', stage, 'count', n, 'job', job)"
              "   ORDER BY n DESC, fingerprint) AS list FROM (SELECT"
              "    coalesce(a.fingerprint, a.outcome, '') AS fingerprint, x.stage,"
              "    min(coalesce(a.error, a.outcome, '')) AS text, min(a.outcome) AS kind,"
              "    count(*) AS n, min(x.id) AS job FROM seen x LEFT JOIN attempt a"
              "     ON a.job = x.id AND a.attempt = x.attempt"
              "    WHERE x.state IN ('failed', 'quarantined') GROUP BY 1, 2"
              "    ORDER BY n DESC LIMIT 30) x)"
              " SELECT json_build_object(" SWEEP_ROW
              "  , 'axes', w.axes, 'report', w.report, 'text', w.text, 'sets', w.sets,"
              "  'jobs', (SELECT coalesce(json_object_agg(state, n ORDER BY state), '{}') FROM"
              "    (SELECT state, sum(n) AS n FROM states GROUP BY state) x),"
              "  'stages', coalesce(stages.list, '[]'), 'running', coalesce(running.list, '[]'),"
              "  'failures', coalesce(failures.list, '[]'), 'slots', (SELECT"
              "    coalesce(sum(slots), 0) FROM worker WHERE connected))"
              " FROM sweep w, stages, running, failures WHERE w.id = $1";

static int
need_sweep(json_t *found, int64_t sweep, struct err *err)
{
    if (found != NULL)
        return 0;
    return err_set(err, ERR_USAGE, "there is no sweep %lld", (long long)sweep);
}

int
db_web_sweep(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    if (pg_json(db->pg, out, sweep_sql, PG_ARGS(PG_INT(sweep)), err) != 0)
        return -1;
    return need_sweep(*out, sweep, err);
}

/* The last job of a chain has the metrics that count, but each stage may add some; a
 * later one's value wins. $1: the sweep. */
static const char *const pareto_sql =
    "WITH wanted AS (SELECT value AS name FROM sweep w,"
    "   json_array_elements_text(w.report -> 'y') WHERE w.id = $1"
    "  UNION SELECT report ->> 'x' FROM sweep WHERE id = $1"
    "  UNION VALUES ('relus'), ('relus_total'), ('relu_saving')),"
    " keys AS (SELECT k.* FROM metric_key k JOIN wanted USING (name)),"
    " chain AS MATERIALIZED (SELECT c.id AS cell, k.place, k.job, j.state FROM cell c"
    "   JOIN cell_job k ON k.cell = c.id JOIN job j ON j.id = k.job WHERE c.sweep = $1),"
    " done AS (SELECT cell FROM chain GROUP BY cell"
    "   HAVING bool_and(state = 'succeeded')),"
    " metrics AS (SELECT ch.cell, jsonb_object_agg(k.name, jsonb_build_object('value',"
    "    CASE WHEN m.value BETWEEN -1e300 AND 1e300 THEN m.value END, 'unit', k.unit,"
    "    'goal', k.goal) ORDER BY ch.place) AS list FROM chain ch JOIN done USING (cell)"
    "   JOIN metric_final m ON m.job = ch.job JOIN keys k ON k.id = m.key"
    "   GROUP BY ch.cell)"
    " SELECT json_build_object('name', w.name, 'title', w.title, 'file', '', 'sets', '',"
    "  'revision', w.revision, 'report', w.report, 'axes', w.axes, 'cells', (SELECT"
    "   coalesce(json_agg(json_build_object('params', c.params, 'written', c.written,"
    "    'state', 'succeeded', 'jobs', '[]'::json, 'metrics', metrics.list)"
    "    ORDER BY c.place), '[]') FROM metrics JOIN cell c ON c.id = metrics.cell))"
    " FROM sweep w WHERE w.id = $1";

int
db_web_pareto(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    if (pg_json(db->pg, out, pareto_sql, PG_ARGS(PG_INT(sweep)), err) != 0)
        return -1;
    return need_sweep(*out, sweep, err);
}

int
db_web_sweep_axes(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    if (pg_json(db->pg, out,
                "SELECT json_build_object('id', id, 'name', name, 'axes', axes, 'y',"
                " coalesce(report -> 'y', '[]')) FROM sweep WHERE id = $1",
                PG_ARGS(PG_INT(sweep)), err)
        != 0)
        return -1;
    return need_sweep(*out, sweep, err);
}

/* $1: the sweep; $2, $3: parameters, $4: metric. */
static const char *const grid_sql =
    "WITH chain AS MATERIALIZED (SELECT c.id, coalesce(c.params ->> $2, '') AS r,"
    "   coalesce(c.params ->> $3, '') AS k, bool_and(j.state = 'succeeded') AS done,"
    "   bool_or(j.state IN ('failed', 'quarantined', 'upstream_failed', 'cancelled'))"
    "   AS failed, bool_or(j.state = 'leased') AS running,"
    "   (array_agg(j.id ORDER BY q.place DESC))[1] AS leaf"
    "  FROM cell c JOIN cell_job q ON q.cell = c.id JOIN job j ON j.id = q.job"
    "  WHERE c.sweep = $1 GROUP BY c.id)"
    " SELECT json_build_object('tiles', coalesce(json_agg(json_build_object('row', r,"
    "  'column', k, 'cells', cells, 'done', done, 'failed', failed, 'running', running,"
    "  'value', value, 'n', n) ORDER BY r, k), '[]')) FROM (SELECT r, k, count(*) AS"
    "   cells, count(*) FILTER (WHERE done) AS done, count(*) FILTER (WHERE failed) AS"
    "   failed, count(*) FILTER (WHERE running AND NOT failed) AS running,"
    "   avg(m.value) FILTER (WHERE m.value BETWEEN -1e300 AND 1e300) AS value,"
    "   count(m.value) AS n FROM chain LEFT JOIN (SELECT f.job, f.value"
    "    FROM metric_final f JOIN metric_key y ON y.id = f.key WHERE y.name = $4) m"
    "    ON m.job = chain.leaf GROUP BY r, k LIMIT 4000) x";

int
db_web_grid(struct db *db, int64_t sweep, const char *row, const char *column,
            const char *metric, json_t **out, struct err *err)
{
    return pg_json(
        db->pg, out, grid_sql,
        PG_ARGS(PG_INT(sweep), PG_TEXT(row), PG_TEXT(column), PG_TEXT(metric)), err);
}

/* ---- workers and the system ------------------------------------------------------ */

int
db_web_workers(struct db *db, json_t **out, struct err *err)
{
    return pg_json(
        db->pg, out,
        "WITH held AS (SELECT worker, json_agg(id ORDER BY id) AS jobs FROM job"
        "  WHERE state = 'leased' GROUP BY worker),"
        " ended AS (SELECT worker, count(*) AS n, count(*) FILTER (WHERE outcome NOT IN"
        "   ('ok', 'returned', 'preempted', 'cancelled', 'stopped')) AS bad"
        "  FROM attempt WHERE ended_at IS NOT NULL"
        "  GROUP BY worker)"
        " SELECT json_build_object('workers', coalesce(json_agg(row), '[]')) FROM"
        " (SELECT json_build_object('id', w.id, 'name', w.name, 'host', w.host,"
        "  'version', w.version, 'slots', w.slots, 'threads', w.threads, 'connected',"
        "  w.connected, 'first_seen', w.first_seen, 'last_seen', w.last_seen, 'jobs',"
        "  coalesce(held.jobs, '[]'), 'ended', coalesce(ended.n, 0), 'failed',"
        "  coalesce(ended.bad, 0)) AS row FROM worker w"
        "  LEFT JOIN held ON held.worker = w.id LEFT JOIN ended ON ended.worker = w.id"
        "  ORDER BY w.connected DESC, w.last_seen DESC, w.id LIMIT 500) x",
        PG_NONE, err);
}

/* $1, $2: the leader's advisory lock. */
static const char *const system_sql =
    "SELECT json_build_object("
    " 'coordinator', (SELECT json_build_object('holder', holder, 'since', since)"
    "   FROM leader WHERE EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
    "    AND database = (SELECT oid FROM pg_database WHERE datname ="
    "     current_database()) AND classid = $1::bigint::oid AND objid = $2::bigint::oid"
    "    AND granted)),"
    " 'states', (SELECT coalesce(json_object_agg(state, n ORDER BY state), '{}') FROM"
    "   (SELECT state, count(*) AS n FROM job GROUP BY state) x),"
    " 'workers', (SELECT count(*) FROM worker WHERE connected),"
    " 'slots', (SELECT coalesce(sum(slots), 0) FROM worker WHERE connected),"
    " 'running', (SELECT count(*) FROM job WHERE state = 'leased'),"
    " 'silent_s', (SELECT extract(epoch FROM clock_timestamp() - max(at)) FROM progress),"
    " 'server', current_setting('server_version'),"
    " 'schema', (SELECT max(version) FROM schema_version),"
    " 'size_bytes', pg_database_size(current_database()),"
    " 'connections', (SELECT count(*) FROM pg_stat_activity"
    "   WHERE datname = current_database()),"
    " 'longest_s', (SELECT coalesce(max(extract(epoch FROM clock_timestamp() -"
    "   xact_start)), 0) FROM pg_stat_activity WHERE datname = current_database()"
    "   AND pid <> pg_backend_pid()),"
    " 'versions', (SELECT coalesce(json_object_agg(version, n), '{}') FROM (SELECT"
    "   version, count(*) AS n FROM worker WHERE connected GROUP BY version) x),"
    " 'ended_hour', (SELECT count(*) FROM attempt WHERE ended_at > now() -"
    "   interval '1 hour'),"
    " 'failed_hour', (SELECT count(*) FROM attempt WHERE ended_at > now() -"
    "   interval '1 hour' AND outcome NOT IN ('ok', 'returned',"
    "   'preempted', 'cancelled', 'stopped')),"
    " 'events', (SELECT coalesce(json_agg(json_build_object('at', at, 'kind', kind,"
    "   'job', job, 'detail', detail) ORDER BY id DESC), '[]') FROM (SELECT * FROM event"
    "   ORDER BY id DESC LIMIT 50) x))";

int
db_web_system(struct db *db, json_t **out, struct err *err)
{
    return pg_json(db->pg, out, system_sql,
                   PG_ARGS(PG_INT(LOCK_SPACE), PG_INT(LOCK_LEADER)), err);
}
