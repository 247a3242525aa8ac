#ifndef COORDINATOR_DB_ATTEMPTS_H
#define COORDINATOR_DB_ATTEMPTS_H

#include <stdbool.h>

#include "coordinator/db/pg.h"

/* Tables attempt and log_chunk; steps of a transaction. */

/* Rows are made when an attempt starts, measures or ends, whatever comes first; worker and time of
 * the lease are those of the job's row. */

/* provenance: JSON text. */
MUST_CHECK int attempts_started(struct pg *pg, int64_t job, int64_t attempt,
                                int64_t pid, const char *provenance, struct err *err);

/* How an attempt ended. Strings may be NULL. */
struct attempt_end {
    const char *outcome, *error, *fingerprint;
    int64_t exit_code, signal;
    double seconds; /* < 0: not measured */
    int64_t peak_rss_bytes;
};
MUST_CHECK int attempts_end(struct pg *pg, int64_t job, int64_t attempt,
                            const struct attempt_end *end, struct err *err);

/* How an attempt stands: unknown or open, ended without its worker (lost, handed back),
 * or ended by a result of its own. */
enum attempt_standing { ATTEMPT_OPEN, ATTEMPT_GIVEN_UP, ATTEMPT_HAS_RESULT };
MUST_CHECK int attempts_standing(struct pg *pg, int64_t job, int64_t attempt,
                                 enum attempt_standing *out, struct err *err);

/* Moves the number of the last batch of points from seq - 1 to seq. *last: -1 when that
 * was done, else where it stands. */
MUST_CHECK int attempts_next_metrics(struct pg *pg, int64_t job, int64_t attempt,
                                     int64_t seq, int64_t *last, struct err *err);

/* A piece of the log; a repeat and what is over the limit are dropped, and so is what
 * comes from another worker than the attempt's. worker 0: who it is was checked. */
MUST_CHECK int attempts_log(struct pg *pg, int64_t job, int64_t attempt, int64_t worker,
                            int64_t start, const char *text, struct err *err);

#endif
