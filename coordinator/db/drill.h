#ifndef COORDINATOR_DB_DRILL_H
#define COORDINATOR_DB_DRILL_H

#include "coordinator/db/db.h"

/* Jobs that mean nothing, in a database of their own: what the queue is measured with. */

/* Adds n ready jobs to a database that has none (ERR_REFUSED otherwise). */
MUST_CHECK int db_drill_fill(struct db *db, int64_t n, struct err *err);

/* Adds n more. *last (may be NULL): the highest number. */
MUST_CHECK int db_drill_add(struct db *db, int64_t n, int64_t priority, int64_t *last,
                            struct err *err);

/* Statistics and a checkpoint, so that each run begins alike. */
MUST_CHECK int db_drill_settle(struct db *db, struct err *err);

/* From now on the database may not forget what its rows were, until db is closed. */
MUST_CHECK int db_drill_hold(struct db *db, struct err *err);

/* One row and its durable commit: what no submission and no lease can be faster than. */
MUST_CHECK int db_drill_touch(struct db *db, struct err *err);

/* How many workers have a session. */
MUST_CHECK int db_drill_workers(struct db *db, int64_t *n, struct err *err);

/* Whether this job has succeeded. */
MUST_CHECK int db_drill_done(struct db *db, int64_t job, bool *done, struct err *err);

struct db_drill_result {
    int64_t succeeded, other;      /* jobs */
    int64_t attempts, attempts_ok; /* rows of attempt */
    int64_t finals;                /* rows of metric_final */
    double seconds;                /* from the first lease to the last end */
};
MUST_CHECK int db_drill_result(struct db *db, struct db_drill_result *out,
                               struct err *err);

#endif
