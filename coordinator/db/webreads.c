/*
 * webreads.c - what the page asks: the moment, what has changed, sweeps, grids, workers,
 * the system. Read-only by the connection itself. Must not know HTTP or how anything is
 * drawn.
 */
#include "coordinator/db/webreads.h"

#include "coordinator/db/handle.h"
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

/* ---- workers and the system ------------------------------------------------------ */

int
db_web_workers(struct db *db, json_t **out, struct err *err)
{
    return pg_json(
        db->pg, out,
        "WITH held AS (SELECT worker, json_agg(id ORDER BY id) AS jobs FROM job"
        "  WHERE state = 'leased' GROUP BY worker),"
        " ended AS (SELECT worker, count(*) AS n, count(*) FILTER (WHERE outcome NOT IN"
        "   ('ok', 'returned', 'preempted', 'cancelled', 'stopped', 'undone')) AS bad"
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
    "   'preempted', 'cancelled', 'stopped', 'undone')),"
    " 'events', (SELECT coalesce(json_agg(json_build_object('at', at, 'kind', kind,"
    "   'job', job, 'detail', detail) ORDER BY id DESC), '[]') FROM (SELECT * FROM event"
    "   ORDER BY id DESC LIMIT 50) x))";

int
db_web_system(struct db *db, json_t **out, struct err *err)
{
    return pg_json(db->pg, out, system_sql,
                   PG_ARGS(PG_INT(LOCK_SPACE), PG_INT(LOCK_LEADER)), err);
}
