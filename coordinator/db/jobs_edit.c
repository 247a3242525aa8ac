/*
 * jobs_edit.c - what people's commands do to jobs: reset, cancel; inserting is in
 * jobs_insert.c. All of it works on sets, in the temporary table `selection`, so that a
 * hundred thousand jobs are a few statements. Only one such command runs at a time
 * (LOCK_EDIT); the coordinator may finish jobs meanwhile, which is why states are looked
 * at last and under row locks.
 */
#include "coordinator/db/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/word.h"

int
jobs_new_selection(struct pg *pg, struct err *err)
{
    return pg_script(pg,
                     "CREATE TEMP TABLE IF NOT EXISTS selection (id bigint PRIMARY KEY)"
                     " ON COMMIT DELETE ROWS; TRUNCATE selection",
                     err);
}

/* ---- selections ------------------------------------------------------------------ */

int
jobs_check_state(struct pg *pg, const char *state, struct err *err)
{
    struct pg_rows rows;
    bool found = state[0] == '\0';

    if (pg_query(pg, &rows, "SELECT unnest(enum_range(NULL::job_state))", PG_NONE, err)
        != 0)
        return -1;
    const char **words = xcalloc((size_t)rows.n + 1, sizeof *words);
    for (int i = 0; i < rows.n; i++) {
        words[i] = pg_text_at(&rows, i, 0);
        found = found || strcmp(words[i], state) == 0;
    }
    int rc = 0;
    if (!found)
        rc = word_unknown("job state", state, words, err);
    free(words);
    pg_rows_release(&rows);
    return rc;
}

/* A join, so that a small sweep among many jobs, and a large one, cost what they are. */
static const char *const of_sweep[] = {
    [false] = "INSERT INTO selection SELECT j.id FROM job j WHERE $1::bigint = 0",
    [true] = "INSERT INTO selection SELECT j.id FROM sweep_span k JOIN job j"
             " ON j.id >= lower(k.jobs) AND j.id < upper(k.jobs) WHERE k.sweep = $1",
};

int
jobs_select(struct pg *pg, const struct db_selection *sel, struct err *err)
{
    const char *state = sel->state ? sel->state : "";
    int64_t job = 0;

    if (jobs_check_state(pg, state, err) != 0 || jobs_new_selection(pg, err) != 0)
        return -1;
    if (sel->job != NULL && jobs_find(pg, sel->job, &job, err) != 0)
        return -1;
    char *sql = xasprintf("%s AND ($2 = '' OR j.state::text = $2) AND ($3::bigint = 0"
                          " OR j.id = $3) AND ($4::bool OR j.id = ANY ($5::bigint[]))"
                          " ON CONFLICT DO NOTHING",
                          of_sweep[sel->sweep > 0]);
    const int rc = pg_query(pg, NULL, sql,
                            PG_ARGS(PG_INT(sel->sweep), PG_TEXT(state), PG_INT(job),
                                    PG_TEXT(sel->jobs == NULL ? "true" : "false"),
                                    PG_INTS(sel->jobs, sel->n_jobs)),
                            err);
    free(sql);
    return rc;
}

int
jobs_tell(struct pg *pg, int64_t first, int64_t last, struct err *err)
{
    return pg_query(pg, NULL, "INSERT INTO news (job, last) VALUES ($1, $2)",
                    PG_ARGS(PG_INT(first), PG_INT(last)), err);
}

int
jobs_tell_changed(struct pg *pg, struct err *err)
{
    return pg_script(pg, JOBS_TELL_CHANGED("selection"), err);
}

int
jobs_settle(struct pg *pg, struct err *err)
{
    return pg_script(
        pg,
        "SELECT 1 FROM job WHERE id IN (SELECT d.parent FROM job_dep d"
        "  JOIN selection s ON s.id = d.child)"
        " AND state IN ('blocked', 'ready', 'leased', 'held') ORDER BY id FOR SHARE;"
        "WITH RECURSIVE bad(id, cause) AS ("
        "  SELECT d.child, coalesce(p.cause, p.id) FROM selection s"
        "  JOIN job_dep d ON d.child = s.id JOIN job p ON p.id = d.parent"
        "  WHERE p.state IN ('failed', 'quarantined', 'cancelled', 'upstream_failed')"
        " UNION SELECT d.child, b.cause FROM bad b JOIN job_child d ON d.parent = b.id"
        "  JOIN selection s ON s.id = d.child)"
        " UPDATE job SET state = 'upstream_failed', cause = b.cause"
        " FROM (SELECT id, min(cause) AS cause FROM bad GROUP BY id) b"
        " WHERE job.id = b.id AND job.state = 'blocked';"
        "UPDATE job SET state = 'ready' FROM selection s"
        " WHERE job.id = s.id AND job.state = 'blocked' AND NOT EXISTS"
        "  (SELECT 1 FROM job_dep d JOIN job p ON p.id = d.parent"
        "   WHERE d.child = job.id AND p.state <> 'succeeded');"
        "WITH r AS (SELECT j.id, j.id - row_number() OVER (ORDER BY j.id) AS island"
        "  FROM selection s JOIN job j ON j.id = s.id WHERE j.state = 'ready')"
        " INSERT INTO news (job, last) SELECT min(id), max(id) FROM r GROUP BY island",
        err);
}

int
jobs_reset(struct pg *pg, bool with_ancestors, struct err *err)
{
    if (pg_script(pg,
                  "DELETE FROM selection s USING job j WHERE j.id = s.id AND j.state"
                  " NOT IN ('failed', 'quarantined', 'cancelled', 'upstream_failed')",
                  err)
        != 0)
        return -1;
    if (with_ancestors
        && pg_script(pg,
                     "WITH RECURSIVE up(id) AS (SELECT id FROM selection"
                     " UNION SELECT d.parent FROM up JOIN job_dep d ON d.child = up.id"
                     "  JOIN job p ON p.id = d.parent WHERE p.state IN"
                     "   ('failed', 'quarantined', 'cancelled', 'upstream_failed'))"
                     " INSERT INTO selection SELECT id FROM up ON CONFLICT DO NOTHING",
                     err)
               != 0)
        return -1;
    return pg_script(
        pg,
        "WITH RECURSIVE down(id) AS (SELECT id FROM selection"
        " UNION SELECT d.child FROM down JOIN job_child d ON d.parent = down.id"
        "  JOIN job c ON c.id = d.child WHERE c.state = 'upstream_failed')"
        " INSERT INTO selection SELECT id FROM down ON CONFLICT DO NOTHING;" JOBS_BEGIN_AFRESH,
        err);
}

int
jobs_select_own(struct pg *pg, int64_t sweep, bool paused_give_way, struct err *err)
{
    const char *give_way = paused_give_way ? "true" : "false";

    if (pg_query(pg, NULL,
                 "DELETE FROM selection s WHERE $1::bigint <> 0 AND EXISTS"
                 " (SELECT 1 FROM sweep_span k JOIN sweep w ON w.id = k.sweep"
                 "  WHERE k.jobs @> s.id"
                 "  AND w.id <> $1 AND w.cancelled_at IS NULL"
                 "  AND (w.paused_at IS NULL OR NOT $2::bool))",
                 PG_ARGS(PG_INT(sweep), PG_TEXT(give_way)), err)
        != 0)
        return -1;
    return pg_script(pg,
                     "SELECT 1 FROM job j JOIN selection s ON s.id = j.id"
                     " ORDER BY j.id FOR UPDATE OF j",
                     err);
}

int
jobs_cancel(struct pg *pg, int64_t sweep, int64_t *count, struct err *err)
{
    if (jobs_select_own(pg, sweep, false, err) != 0
        || pg_change(pg, count,
                     "UPDATE job SET state = 'cancelled', not_before = NULL"
                     " FROM selection s WHERE job.id = s.id"
                     " AND job.state IN ('blocked', 'ready', 'held')",
                     PG_NONE, err)
               != 0
        || jobs_tell_changed(pg, err) != 0)
        return -1;
    return pg_script(
        pg,
        "WITH RECURSIVE down(id, cause) AS (SELECT d.child, d.parent FROM job_child d"
        "  JOIN selection s ON s.id = d.parent JOIN job p ON p.id = d.parent"
        "  WHERE p.state = 'cancelled'"
        " UNION SELECT d.child, down.cause FROM down JOIN job_child d"
        "  ON d.parent = down.id)"
        " UPDATE job SET state = 'upstream_failed', cause = b.cause"
        " FROM (SELECT id, min(cause) AS cause FROM down GROUP BY id) b"
        " WHERE job.id = b.id AND job.state IN ('blocked', 'held');"
        "DELETE FROM selection s USING job j WHERE j.id = s.id AND j.state <> 'leased'",
        err);
}
