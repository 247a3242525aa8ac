/*
 * status.c - what is going on, as one JSON document made by PostgreSQL: the coordinator,
 * the workers, and each sweep with its counts, running stages and failures. Read-only.
 */
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/locks.h"
#include "shared/base/mem.h"
#include "shared/base/word.h"

/* $1: sweep, 0 for all; $2, $3: the leader's advisory lock. */
static const char *const status_sql =
    "WITH leased AS (SELECT worker, count(*) AS n FROM job WHERE state = 'leased'"
    "  GROUP BY worker),"
    " sj AS (SELECT k.sweep, j.id AS job FROM sweep_span k JOIN job j ON j.id >="
    "   lower(k.jobs) AND j.id < upper(k.jobs) WHERE $1::bigint = 0 OR k.sweep = $1),"
    " counts AS (SELECT sweep, json_object_agg(state, n ORDER BY state) AS jobs"
    "  FROM (SELECT sj.sweep, j.state, count(*) AS n FROM sj JOIN job j ON j.id = sj.job"
    "        GROUP BY sj.sweep, j.state) x GROUP BY sweep),"
    " cells AS (SELECT sweep, count(*) AS cells, count(*) FILTER (WHERE done) AS done"
    "  FROM (SELECT c.sweep, c.id, bool_and(j.state = 'succeeded') AS done FROM cell c"
    "        JOIN cell_job k ON k.cell = c.id JOIN job j ON j.id = k.job"
    "        WHERE $1::bigint = 0 OR c.sweep = $1 GROUP BY c.sweep, c.id) x"
    "  GROUP BY sweep),"
    " running AS (SELECT sj.sweep, json_agg(json_build_object('job', j.id,"
    "   'stage', s.stage, 'attempt', j.attempt, 'epoch', p.epoch, 'epochs', p.epochs,"
    "   'step', p.step, 'steps', p.steps, 'images_per_second', p.images_per_second,"
    "   'loss', CASE WHEN p.loss BETWEEN -1e300 AND 1e300 THEN p.loss END,"
    "   'seconds_left', p.seconds_left, 'worker', w.name) ORDER BY j.id) AS list"
    "  FROM sj JOIN job j ON j.id = sj.job AND j.state = 'leased'"
    "  JOIN job_spec s ON s.job = j.id"
    "  JOIN worker w ON w.id = j.worker"
    "  LEFT JOIN progress p ON p.job = j.id AND p.attempt = j.attempt"
    "  GROUP BY sj.sweep),"
    " failures AS (SELECT sweep, json_agg(json_build_object('fingerprint', fingerprint,"
    "   'text', text, 'kind', kind, 'jobs', jobs, 'stage', stage)"
    "   ORDER BY n DESC, fingerprint) AS list"
    "  FROM (SELECT sj.sweep, coalesce(a.fingerprint, a.outcome, '') AS fingerprint,"
    "         s.stage, min(coalesce(a.error, a.outcome, '')) AS text,"
    "         min(coalesce(a.outcome, '')) AS kind,"
    "         json_agg(j.id ORDER BY j.id) AS jobs, count(*) AS n"
    "        FROM sj JOIN job j ON j.id = sj.job AND j.state IN ('failed', 'quarantined')"
    "        JOIN job_spec s ON s.job = j.id"
    "        LEFT JOIN attempt a ON a.job = j.id AND a.attempt = j.attempt"
    "        GROUP BY 1, 2, 3) x GROUP BY sweep)"
    " SELECT json_build_object("
    " 'coordinator', (SELECT json_build_object('holder', holder, 'since', since)"
    "   FROM leader WHERE EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
    "    AND database = (SELECT oid FROM pg_database WHERE datname ="
    "     current_database()) AND classid = $2::bigint::oid AND objid = $3::bigint::oid"
    "    AND granted)),"
    " 'workers', (SELECT coalesce(json_agg(json_build_object('id', w.id, 'name', w.name,"
    "   'host', w.host, 'version', w.version, 'slots', w.slots, 'threads', w.threads,"
    "   'since', w.first_seen, 'running', coalesce(l.n, 0)) ORDER BY w.name, w.id),"
    "   '[]') FROM worker w LEFT JOIN leased l ON l.worker = w.id WHERE w.connected),"
    " 'resting', (SELECT coalesce(json_agg(json_build_object('host', host, 'why', why,"
    "   'seconds_left', ceil(extract(epoch FROM until - now()))) ORDER BY host), '[]')"
    "   FROM host_rest WHERE until > now()),"
    " 'limits', (SELECT coalesce(json_agg(json_build_object('sweep', (SELECT name"
    "    FROM sweep WHERE id = l.sweep), 'stage', l.stage, 'label', l.label, 'most',"
    "    l.most, 'running', (SELECT count(*) FROM job j JOIN job_class k"
    "     ON k.id = j.class WHERE j.state = 'leased' AND l.id = ANY (k.limits)))"
    "   ORDER BY l.id), '[]') FROM job_limit l"
    "   WHERE $1::bigint = 0 OR l.sweep IS NULL OR l.sweep = $1),"
    " 'sweeps', (SELECT coalesce(json_agg(json_build_object('id', w.id, 'name', w.name,"
    "   'title', w.title, 'revision', w.revision, 'cancelled', w.cancelled_at IS NOT NULL,"
    "   'paused', CASE WHEN w.paused_at IS NOT NULL THEN w.paused_why END,"
    "   'cells', coalesce(cells.cells, 0), 'cells_done', coalesce(cells.done, 0),"
    "   'jobs', coalesce(counts.jobs, '{}'),"
    "   'running', coalesce(running.list, '[]'),"
    "   'failures', coalesce(failures.list, '[]')) ORDER BY w.id), '[]') FROM sweep w"
    "  LEFT JOIN counts ON counts.sweep = w.id LEFT JOIN cells ON cells.sweep = w.id"
    "  LEFT JOIN running ON running.sweep = w.id"
    "  LEFT JOIN failures ON failures.sweep = w.id"
    "  WHERE $1::bigint = 0 OR w.id = $1))";

int
db_status(struct db *db, int64_t sweep, json_t **out, struct err *err)
{
    return pg_json(db->pg, out, status_sql,
                   PG_ARGS(PG_INT(sweep), PG_INT(LOCK_SPACE), PG_INT(LOCK_LEADER)),
                   err);
}

static int
no_such_sweep(const struct pg_rows *names, const char *name, struct err *err)
{
    const char **words = xcalloc((size_t)names->n + 1, sizeof *words);

    for (int i = 0; i < names->n; i++)
        words[i] = pg_text_at(names, i, 1);
    const char *near = word_nearest(words, name);
    if (names->n == 0)
        err_set(err, ERR_USAGE,
                "there is no sweep `%s`: none was submitted to this database", name);
    else
        err_set(err, ERR_USAGE, "there is no sweep `%s`%s", name,
                near ? word_hint(near).text : "; `relusweep status` lists them");
    free(words);
    return -1;
}

int
db_sweep_id(struct db *db, const char *name, int64_t *id, struct err *err)
{
    struct pg_rows rows;
    int rc = 0;

    if (pg_query(
            db->pg, &rows,
            "SELECT id, name FROM sweep ORDER BY name = $1 DESC, id::text = $1 DESC",
            PG_ARGS(PG_TEXT(name)), err)
        != 0)
        return -1;
    if (rows.n > 0
        && (strcmp(pg_text_at(&rows, 0, 1), name) == 0
            || strcmp(pg_text_at(&rows, 0, 0), name) == 0))
        *id = pg_int_at(&rows, 0, 0);
    else
        rc = no_such_sweep(&rows, name, err);
    pg_rows_release(&rows);
    return rc;
}

enum { KNOWN_BLOCK = 20000 };

/* $1: digests. */
static const char *const known_sql =
    "SELECT coalesce(jsonb_object_agg(d, j.state), '{}')"
    " FROM unnest($1::text[]) d JOIN job_def s ON s.digest = decode(d, 'hex')"
    " JOIN job j ON j.id = s.job";

static const char *const seconds_sql =
    "SELECT jsonb_build_object('seconds', coalesce(jsonb_object_agg(stage, mean), '{}'))"
    " FROM (SELECT s.method || '/' || s.stage AS stage, avg(a.seconds) AS mean"
    "  FROM attempt a JOIN job_spec s ON s.job = a.job"
    "  WHERE a.outcome = 'ok' AND a.seconds IS NOT NULL GROUP BY 1) m";

/* Adds the states of jobs [first, first + n). */
static int
add_known(struct db *db, const struct dag *d, size_t first, size_t n, json_t *known,
          struct err *err)
{
    const char **digests = xcalloc(n + 1, sizeof *digests);
    json_t *block = NULL;

    for (size_t i = 0; i < n; i++)
        digests[i] = dag_digest(d, first + i);
    const int rc =
        pg_json(db->pg, &block, known_sql, PG_ARGS(PG_TEXTS(digests, n)), err);
    if (rc == 0)
        json_object_update(known, block);
    json_decref(block);
    free(digests);
    return rc;
}

int
db_known(struct db *db, struct dag *d, json_t **out, struct err *err)
{
    int64_t any;

    if (pg_json(db->pg, out, seconds_sql, PG_NONE, err) != 0
        || pg_number(db->pg, &any, NULL,
                     "SELECT count(*) FROM (SELECT FROM job_def LIMIT 1) j", PG_NONE,
                     err)
               != 0)
        return -1;
    dag_name_jobs(d);
    for (size_t at = 0; any > 0 && at < d->n_jobs; at += KNOWN_BLOCK) {
        const size_t left = d->n_jobs - at, n = left < KNOWN_BLOCK ? left : KNOWN_BLOCK;
        if (add_known(db, d, at, n, *out, err) != 0)
            return -1;
    }
    return 0;
}

int
db_doctor(struct db *db, json_t **out, struct err *err)
{
    return pg_json(
        db->pg, out,
        "SELECT json_build_object('server', coalesce(host(inet_server_addr()),"
        "  (SELECT split_part(setting, ',', 1) FROM pg_settings"
        "   WHERE name = 'unix_socket_directories')), 'database', current_database(),"
        " 'user', current_user, 'version', current_setting('server_version'),"
        " 'schema', CASE WHEN to_regclass('schema_version') IS NULL THEN 0 ELSE"
        "  (xpath('/row/v/text()', query_to_xml("
        "   'SELECT max(version) AS v FROM schema_version', false, true, '')))[1]"
        "  ::text::int END,"
        " 'schema_known', $1::bigint,"
        " 'fsync', current_setting('fsync'),"
        " 'synchronous_commit', current_setting('synchronous_commit'),"
        " 'full_page_writes', current_setting('full_page_writes'),"
        " 'size_bytes', pg_database_size(current_database()),"
        " 'connections', (SELECT count(*) FROM pg_stat_activity"
        "   WHERE backend_type = 'client backend'),"
        " 'max_connections', current_setting('max_connections')::int,"
        " 'oldest_snapshot_s', coalesce((SELECT extract(epoch FROM"
        "   clock_timestamp() - min(xact_start)) FROM pg_stat_activity"
        "   WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()), 0)::float8,"
        " 'clock', extract(epoch FROM clock_timestamp())::float8)",
        PG_ARGS(PG_INT(DB_SCHEMA_VERSION)), err);
}
