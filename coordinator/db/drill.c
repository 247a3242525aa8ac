/* drill.c - jobs that mean nothing, to measure the queue: `relusweep bench queue`. They go
 * into a database that has no others. */
#include "coordinator/db/drill.h"

#include "coordinator/db/events.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/locks.h"
#include "coordinator/db/notes.h"

int
db_drill_fill(struct db *db, int64_t n, struct err *err)
{
    int64_t jobs;

    if (pg_number(db->pg, &jobs, NULL, "SELECT count(*) FROM job_def", PG_NONE, err)
        != 0)
        return -1;
    if (jobs > 0)
        return err_set(err, ERR_REFUSED,
                       "this database has %lld jobs; give one that is empty, or none, "
                       "and a cluster is made for the purpose",
                       (long long)jobs);
    return db_drill_add(db, n, 0, NULL, err);
}

/* What `submit` does in its transaction, in one way to the server. */
static int
ask_add(struct pg *pg, int64_t n, int64_t priority, struct err *err)
{
    if (pg_begin(pg, err) != 0)
        return -1;
    pg_commit_along(pg);
    return pg_send(pg, "SELECT pg_advisory_xact_lock($1::int, $2::int)",
                   PG_ARGS(PG_INT(LOCK_SPACE), PG_INT(LOCK_EDIT)),
                   err) == 0
                   && pg_send(
                          pg,
                          "WITH f AS (INSERT INTO job_form AS f (method, stage, template)"
                          "  VALUES ('drill', 'noop', '{}') ON CONFLICT (md5(template))"
                          "  DO UPDATE SET stage = f.stage RETURNING id),"
                          " s AS (INSERT INTO job_def (digest, form)"
                          "  SELECT uuid_send(gen_random_uuid())"
                          "   || uuid_send(gen_random_uuid()), f.id"
                          "  FROM f, generate_series(1, $1::bigint) RETURNING job),"
                          " j AS (INSERT INTO job (id, state, priority)"
                          "  SELECT job, 'ready', $2::int FROM s ORDER BY job"
                          "  RETURNING id, place, priority, class),"
                          " n AS (INSERT INTO news (job, last)"
                          "  SELECT min(id), max(id) FROM j RETURNING last)"
                          " SELECT last, pg_notify('relusweep', (SELECT " NOTES_TEXT
                          "  FROM j)) FROM n",
                          PG_ARGS(PG_INT(n), PG_INT(priority)), err)
                          == 0
               ? 0
               : -1;
}

int
db_drill_add(struct db *db, int64_t n, int64_t priority, int64_t *last, struct err *err)
{
    struct pg_rows rows;

    if (ask_add(db->pg, n, priority, err) != 0 || pg_take(db->pg, NULL, err) != 0
        || pg_take(db->pg, &rows, err) != 0)
        return -1;
    const int64_t id = pg_int_at(&rows, 0, 0);
    pg_rows_release(&rows);
    if (pg_commit(db->pg, err) != 0)
        return -1;
    if (last != NULL)
        *last = id;
    return 0;
}
int
db_drill_settle(struct db *db, struct err *err)
{
    return pg_script(db->pg, "VACUUM ANALYZE job, job_def, job_form", err) == 0
                   && pg_script(db->pg, "CHECKPOINT", err) == 0
               ? 0
               : -1;
}

int
db_drill_hold(struct db *db, struct err *err)
{
    return pg_script(db->pg,
                     "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                     "SELECT 1 FROM job LIMIT 1",
                     err);
}

int
db_drill_touch(struct db *db, struct err *err)
{
    return events_add(db->pg, 0, 0, "drill", "", err);
}

int
db_drill_workers(struct db *db, int64_t *n, struct err *err)
{
    return pg_number(db->pg, n, NULL, "SELECT count(*) FROM worker WHERE connected",
                     PG_NONE, err);
}

int
db_drill_done(struct db *db, int64_t job, bool *done, struct err *err)
{
    int64_t one;

    return pg_number(db->pg, &one, done,
                     "SELECT 1 FROM job WHERE id = $1 AND state = 'succeeded'",
                     PG_ARGS(PG_INT(job)), err);
}

int
db_drill_result(struct db *db, struct db_drill_result *out, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(db->pg, &rows,
                 "SELECT (SELECT count(*) FROM job WHERE state = 'succeeded'),"
                 " (SELECT count(*) FROM job WHERE state <> 'succeeded'), count(*),"
                 " count(*) FILTER (WHERE outcome = 'ok'),"
                 " (SELECT count(*) FROM metric_final),"
                 " extract(epoch FROM max(ended_at) - min(leased_at))::float8 * 1e6"
                 " FROM attempt",
                 PG_NONE, err)
        != 0)
        return -1;
    *out = (struct db_drill_result){.succeeded = pg_int_at(&rows, 0, 0),
                                    .other = pg_int_at(&rows, 0, 1),
                                    .attempts = pg_int_at(&rows, 0, 2),
                                    .attempts_ok = pg_int_at(&rows, 0, 3),
                                    .finals = pg_int_at(&rows, 0, 4),
                                    .seconds = (double)pg_int_at(&rows, 0, 5) / 1e6};
    pg_rows_release(&rows);
    return 0;
}
