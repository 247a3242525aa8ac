#ifndef COORDINATOR_DB_WEBFACTS_H
#define COORDINATOR_DB_WEBFACTS_H

#include "coordinator/db/db.h"

/*
 * What the page keeps in memory about jobs and cells, and reads again only where it has
 * changed. All functions read in the transaction that the caller is in (db_web_begin).
 * A callback borrows its texts.
 */

/* Jobs with numbers above `after`, ascending; a job's stage never changes. */
typedef void db_web_stage_fn(void *arg, int64_t job, const char *stage);
MUST_CHECK int db_web_stages(struct db *db, int64_t after, db_web_stage_fn *each,
                             void *arg, struct err *err);

/* Jobs that were written since the moment whose oldest open transaction was `since` (0:
 * all jobs), and what the current attempt took, 0 where it has not ended. */
typedef void db_web_fact_fn(void *arg, int64_t job, const char *state, double seconds);
MUST_CHECK int db_web_facts(struct db *db, int64_t since, db_web_fact_fn *each,
                            void *arg, struct err *err);

/* The chains of a sweep's cells, cell after cell in the order of the grid; job 0: a cell
 * without any. */
typedef void db_web_chain_fn(void *arg, int64_t cell, int64_t job);
MUST_CHECK int db_web_chains(struct db *db, int64_t sweep, db_web_chain_fn *each,
                             void *arg, struct err *err);

/* A parameter of a sweep's cells, in the same order; "" where a cell has none. */
typedef void db_web_value_fn(void *arg, const char *value);
MUST_CHECK int db_web_axis(struct db *db, int64_t sweep, const char *name,
                           db_web_value_fn *each, void *arg, struct err *err);

/* A text for each cell, in the same order, that is equal for cells that differ in nothing
 * but what the sweep's report averages over. */
MUST_CHECK int db_web_alike(struct db *db, int64_t sweep, db_web_value_fn *each,
                            void *arg, struct err *err);

/* [{"params": of the cell without what is averaged over}] of these cells, in their
 * order. New reference. */
MUST_CHECK int db_web_cell_params(struct db *db, const int64_t *cells, size_t n,
                                  json_t **out, struct err *err);

/* Final metrics of jobs, of those named; values that are not finite are left out. */
struct db_web_final {
    int64_t job;
    const char *name, *unit, *goal;
    double value;
};
typedef void db_web_final_fn(void *arg, const struct db_web_final *f);
MUST_CHECK int db_web_finals(struct db *db, const int64_t *jobs, size_t n,
                             const char *const *names, size_t n_names,
                             db_web_final_fn *each, void *arg, struct err *err);

/* The texts of a sweep: {"id","name","title","revision","submitted_at","cancelled",
 * "paused": why | null, "axes","report","text","sets","slots"}. ERR_USAGE when there is
 * none. New reference. */
MUST_CHECK int db_web_sweep_texts(struct db *db, int64_t sweep, json_t **out,
                                  struct err *err);

/* {"sweeps": [{"id","name","title","revision","submitted_at","cancelled","paused"}]},
 * newest first. */
MUST_CHECK int db_web_sweeps(struct db *db, json_t **out, struct err *err);

/* How jobs that run stand: [{"job","stage","attempt","epoch","epochs","step","steps",
 * "images_per_second","loss","seconds_left","worker"}] by job. New reference. */
MUST_CHECK int db_web_running(struct db *db, const int64_t *jobs, size_t n,
                              json_t **out, struct err *err);

/* Failed jobs by cause, the most frequent first: [{"fingerprint","text","kind","stage",
 * "count","job": an example}]. New reference. */
MUST_CHECK int db_web_causes(struct db *db, const int64_t *jobs, size_t n, json_t **out,
                             struct err *err);

#endif
