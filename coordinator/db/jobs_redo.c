/*
 * jobs_redo.c - jobs that have succeeded are done again, because what they left is damaged
 * or not believed. Invariant: whatever was made of it goes too, so that no job has
 * succeeded whose parents have not; the attempts stay, as `undone`.
 */
#include "coordinator/db/blobs.h"
#include "coordinator/db/jobs.h"

/* One that runs would end with what is taken away here. */
static int
refuse_running(struct pg *pg, struct err *err)
{
    bool running;
    int64_t job;

    if (pg_number(pg, &job, &running,
                  "SELECT j.id FROM job j JOIN selection s ON s.id = j.id"
                  " WHERE j.state = 'leased' ORDER BY j.id LIMIT 1",
                  PG_NONE, err)
        != 0)
        return -1;
    return running
               ? err_set(err, ERR_REFUSED,
                         "job %lld runs with what would be made again; wait for its "
                         "end, or `relusweep cancel %lld` first",
                         (long long)job, (long long)job)
               : 0;
}

/* The same bytes may come again, and would be taken for those that are there. */
static int
drop_artifacts(struct pg *pg, struct err *err)
{
    struct pg_rows blobs;
    int rc = 0;

    if (pg_query(pg, &blobs,
                 "DELETE FROM artifact a USING selection s WHERE a.job = s.id"
                 " RETURNING a.blob",
                 PG_NONE, err)
        != 0)
        return -1;
    for (int i = 0; rc == 0 && i < blobs.n; i++)
        rc = blobs_drop_unused(pg, pg_int_at(&blobs, i, 0), err);
    pg_rows_release(&blobs);
    return rc;
}

static int
select_descendants(struct pg *pg, struct err *err)
{
    return pg_script(
        pg,
        "DELETE FROM selection s USING job j WHERE j.id = s.id"
        " AND j.state <> 'succeeded';"
        "WITH RECURSIVE down(id) AS (SELECT id FROM selection"
        " UNION SELECT d.child FROM down JOIN job_child d ON d.parent = down.id)"
        " INSERT INTO selection SELECT id FROM down ON CONFLICT DO NOTHING",
        err);
}

int
jobs_redo(struct pg *pg, struct err *err)
{
    if (select_descendants(pg, err) != 0 || jobs_select_own(pg, 0, false, err) != 0
        || refuse_running(pg, err) != 0 || drop_artifacts(pg, err) != 0)
        return -1;
    return pg_script(
        pg,
        "DELETE FROM metric_final m USING selection s WHERE m.job = s.id;"
        "UPDATE attempt a SET outcome = 'undone' FROM selection s"
        " WHERE a.job = s.id AND a.outcome = 'ok';" JOBS_BEGIN_AFRESH
        " AND job.state NOT IN ('cancelled', 'held');" JOBS_TELL_CHANGED("selection"),
        err);
}
