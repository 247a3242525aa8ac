/*
 * prune.c - what makes a database grow for ever and is only looked at when it is new.
 * Invariant: nothing of a job that may still run is touched.
 */
#include "coordinator/db/prune.h"

#include "coordinator/db/blobfolder.h"
#include "coordinator/db/blobs.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/orphans.h"

/* $1: days. Jobs that ended before, a few at a time. */
#define ENDED(rows)                                                                 \
    "(SELECT j.id FROM job j JOIN attempt a ON a.job = j.id AND a.attempt ="        \
    " j.attempt WHERE j.state NOT IN ('blocked', 'ready', 'leased', 'held')"        \
    " AND a.ended_at < now() - $1 * interval '1 day' AND EXISTS (SELECT FROM " rows \
    " x WHERE x.job = j.id) LIMIT 100)"

static const char *const events_sql =
    "DELETE FROM event WHERE id IN (SELECT id FROM event"
    " WHERE at < now() - $1 * interval '1 day' ORDER BY id LIMIT 10000)";
static const char *const points_sql =
    "DELETE FROM metric WHERE job IN " ENDED("metric");
static const char *const logs_sql =
    "DELETE FROM log_chunk WHERE job IN " ENDED("log_chunk");

/* Again until there is nothing left. */
static int
delete_all(struct db *db, const char *sql, int64_t days, int64_t *count,
           struct err *err)
{
    int64_t n = 1;

    for (*count = 0; n > 0; *count += n)
        if (pg_change(db->pg, &n, sql, PG_ARGS(PG_INT(days)), err) != 0)
            return -1;
    return 0;
}

/* Rows first, then their files, then files that never had a row. */
static int
delete_blobs(struct db *db, struct db_pruned *out, struct err *err)
{
    int64_t n = 1, orphans;

    if (blobs_sweep(db->pg, &out->blobs, err) != 0)
        return -1;
    for (; n > 0; out->files += n)
        if (pg_begin(db->pg, err) != 0 || blobfolder_clear(db->pg, &n, err) != 0
            || pg_commit(db->pg, err) != 0) {
            pg_rollback(db->pg);
            return -1;
        }
    if (orphans_delete(db, ORPHANS_GRACE_S, &orphans, err) != 0)
        return -1;
    out->files += orphans;
    return 0;
}

int
db_prune(struct db *db, int64_t days, struct db_pruned *out, struct err *err)
{
    *out = (struct db_pruned){0};
    if (delete_all(db, events_sql, days, &out->events, err) != 0
        || delete_all(db, points_sql, days, &out->points, err) != 0
        || delete_all(db, logs_sql, days, &out->logs, err) != 0)
        return -1;
    return delete_blobs(db, out, err);
}
