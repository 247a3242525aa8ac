#ifndef COORDINATOR_DB_DB_H
#define COORDINATOR_DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/sweep/dag.h"
#include "shared/base/err.h"
#include "shared/base/json.h"

/*
 * What the command line (and later the page) asks of the database. Reads return one
 * JSON document made by PostgreSQL, which --json prints as it is and the tables of the
 * terminal are drawn from. Writes are single transactions followed by one NOTIFY, which
 * wakes the coordinator; they work while no coordinator runs. Errors: ERR_DB when the
 * server is away, ERR_REFUSED for a schema newer than this program (with both numbers),
 * ERR_USAGE for names that are not there.
 */
struct db;

enum { DB_SCHEMA_VERSION = 12 };

/* conninfo: libpq string or URI; NULL or "": PGHOST, PGDATABASE, ... decide. */
MUST_CHECK int db_open(struct db **out, const char *conninfo, struct err *err);
void db_close(struct db *db);

/* Is the schema of this program's version? ERR_REFUSED or ERR_DB saying what to run. */
MUST_CHECK int db_check_schema(struct db *db, struct err *err);

/* Creates or upgrades the schema (files of schema/, embedded at build). */
MUST_CHECK int db_migrate(struct db *db, struct err *err);

/* The catalogue that the newest worker declared; *out NULL when there is none yet. */
MUST_CHECK int db_catalog_load(struct db *db, json_t **out, struct err *err);

/* ---- writes ---------------------------------------------------------------------- */

struct db_submitted {
    int64_t sweep;
    int64_t cells, jobs;         /* of the file */
    int64_t new_jobs;            /* that were not in the database */
    int64_t done, failed, other; /* of the jobs that were */
};

/* Idempotent: the same name and text gives the same sweep; a changed file of the same
 * name is a new revision whose cells replace the old ones; jobs are kept. */
MUST_CHECK int db_submit(struct db *db, const struct sweep *s, struct dag *d,
                         struct db_submitted *out, struct err *err);

/* Which jobs a command works on: of a sweep (0: all), in a state ("" any), one job by id
 * or digest prefix (NULL: not by job), of these numbers (NULL: of any). */
struct db_selection {
    int64_t sweep;
    const char *state;
    const char *job;
    const int64_t *jobs;
    size_t n_jobs;
};

/* failed, quarantined, cancelled, upstream_failed (and their dependants) -> blocked or
 * ready, with fresh retry budgets. *count: jobs changed. */
MUST_CHECK int db_retry(struct db *db, const struct db_selection *sel, int64_t *count,
                        struct err *err);

/* Of the selected jobs those that have succeeded run again, with all that came of them:
 * artifacts and final metrics go, attempts stay as `undone`. ERR_REFUSED when one of them
 * runs. *count: how many. */
MUST_CHECK int db_redo(struct db *db, const struct db_selection *sel, int64_t *count,
                       struct err *err);

/* blocked, ready, held -> cancelled at once; leased jobs are asked to stop (by the
 * coordinator; hard: without a checkpoint). Jobs that another sweep needs are kept. */
MUST_CHECK int db_cancel(struct db *db, const struct db_selection *sel, bool hard,
                         int64_t *count, struct err *err);

/* blocked, ready -> held; running ones too with `running`, after a checkpoint. Jobs that
 * another sweep wants go on. */
MUST_CHECK int db_pause(struct db *db, const struct db_selection *sel, bool running,
                        int64_t *count, struct err *err);

/* held -> blocked or ready. */
MUST_CHECK int db_resume(struct db *db, const struct db_selection *sel, int64_t *count,
                         struct err *err);

/* Of unfinished jobs; higher runs earlier, 0 at first. */
enum { DB_MAX_PRIORITY = 1000000 };
MUST_CHECK int db_priority(struct db *db, const struct db_selection *sel,
                           int64_t priority, int64_t *count, struct err *err);

/* At most so many jobs of a sweep (0: of all), of a stage and that need a label ("": any)
 * run at once; most < 0: no limit any more. */
struct db_limit {
    int64_t sweep;
    const char *stage, *label;
    int64_t most;
};
MUST_CHECK int db_limit(struct db *db, const struct db_limit *limit, struct err *err);

/* ---- reads ----------------------------------------------------------------------- */

/* Id of the sweep called `name` (or with that number); ERR_USAGE naming the nearest. */
MUST_CHECK int db_sweep_id(struct db *db, const char *name, int64_t *id,
                           struct err *err);

/* {"coordinator": {"holder","since"}|null, "workers": [...],
 *  "resting": [{"host","why","seconds_left"}],
 *  "limits": [{"sweep"|null,"stage","label","most","running"}],
 *  "sweeps": [{"id","name","title","cells","cells_done","paused": why|null,
 *              "jobs": {"ready":n,...},
 *              "running": [{"job","stage","epoch","epochs","step","steps",
 *                           "images_per_second","loss","seconds_left","worker"}],
 *              "failures": [{"fingerprint","text","jobs","stage"}]}]}
 * sweep 0: all. */
MUST_CHECK int db_status(struct db *db, int64_t sweep, json_t **out, struct err *err);

/* {"jobs": [{"id","digest","method","stage","state","attempt","params","seconds",
 *            "worker","error"}]}, ordered by id, after `after`, at most `limit`. */
MUST_CHECK int db_jobs(struct db *db, const struct db_selection *sel, int64_t after,
                       int64_t limit, json_t **out, struct err *err);

/* Everything about one job (id or digest prefix): the row of db_jobs and "spec",
 * "parents", "children", "sweeps", "attempts": [{...}], "metrics", "artifacts",
 * "why": a sentence on why it is in this state and what has to happen. */
MUST_CHECK int db_job(struct db *db, const char *job, json_t **out, struct err *err);

/* Stored log of an attempt (0: the newest) from byte `offset`; caller frees *text. */
MUST_CHECK int db_log(struct db *db, int64_t job, int64_t attempt, int64_t offset,
                      char **text, struct err *err);

/* Bytes of the log of an attempt (0: the newest) so far. */
MUST_CHECK int db_log_size(struct db *db, int64_t job, int64_t attempt, int64_t *size,
                           struct err *err);

/* Gives the jobs their names. The state of each that is there, for `plan`:
 * {"<digest>": "succeeded", ...}, and the mean seconds of finished jobs by method/stage
 * under "seconds". */
MUST_CHECK int db_known(struct db *db, struct dag *d, json_t **out, struct err *err);

/* Rows for the report, see coordinator/report/report.h. */
MUST_CHECK int db_report(struct db *db, int64_t sweep, json_t **out, struct err *err);

/* {"artifacts": [{"job","stage","attempt","name","sha","size","kind"}]} */
MUST_CHECK int db_artifacts(struct db *db, const struct db_selection *sel, json_t **out,
                            struct err *err);

/* Writes a stored blob to `path`, checking its digest. */
MUST_CHECK int db_blob_save(struct db *db, const char *sha, const char *path,
                            struct err *err);

/* {"server","version","schema","fsync","size_bytes","oldest_snapshot_s", ...} */
MUST_CHECK int db_doctor(struct db *db, json_t **out, struct err *err);

#endif
