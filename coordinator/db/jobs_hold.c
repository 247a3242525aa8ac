/*
 * jobs_hold.c - what pause, resume, priority and a sweep's own stop do to jobs, on the
 * temporary table `selection`. Invariant: nothing is lost by holding: what was blocked or
 * ready becomes so again.
 */
#include "coordinator/db/jobs.h"

int
jobs_hold(struct pg *pg, int64_t sweep, int64_t *count, struct err *err)
{
    if (jobs_select_own(pg, sweep, true, err) != 0
        || pg_change(pg, count,
                     "UPDATE job SET state = 'held' FROM selection s"
                     " WHERE job.id = s.id AND job.state IN ('blocked', 'ready')",
                     PG_NONE, err)
               != 0
        || jobs_tell_changed(pg, err) != 0)
        return -1;
    return pg_script(pg,
                     "DELETE FROM selection s USING job j WHERE j.id = s.id"
                     " AND j.state <> 'leased'",
                     err);
}

int
jobs_unhold(struct pg *pg, int64_t *count, struct err *err)
{
    if (pg_script(pg,
                  "DELETE FROM selection s USING job j WHERE j.id = s.id"
                  " AND j.state <> 'held'",
                  err)
        != 0)
        return -1;
    return pg_change(pg, count,
                     "UPDATE job SET state = 'blocked', not_before = NULL"
                     " FROM selection s WHERE job.id = s.id",
                     PG_NONE, err);
}

int
jobs_unhold_sweep(struct pg *pg, int64_t sweep, struct err *err)
{
    return pg_query(
        pg, NULL,
        "WITH back AS (UPDATE job SET state = 'blocked', not_before = NULL"
        " WHERE state = 'held' AND id IN " SWEEP_JOBS(
            "$1") " RETURNING id)"
                  " INSERT INTO selection SELECT id FROM back ON CONFLICT DO NOTHING",
        PG_ARGS(PG_INT(sweep)), err);
}

int
jobs_set_priority(struct pg *pg, int64_t priority, int64_t *count, struct err *err)
{
    if (pg_change(pg, count,
                  "UPDATE job SET priority = $1 FROM selection s WHERE job.id = s.id"
                  " AND job.state IN ('blocked', 'ready', 'leased', 'held')",
                  PG_ARGS(PG_INT(priority)), err)
        != 0)
        return -1;
    return jobs_tell_changed(pg, err);
}
