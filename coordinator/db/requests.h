#ifndef COORDINATOR_DB_REQUESTS_H
#define COORDINATOR_DB_REQUESTS_H

#include "coordinator/db/pg.h"

/* Table request: what people ask of running jobs. Steps of a transaction. */

struct request_cancel {
    int64_t job, attempt;
    bool hard, hold;
};
struct request_list {
    struct request_cancel *items; /* caller frees */
    size_t n, capacity;
};

/* Asks to stop every job of the temporary table `selection`: for good ("cancel", which
 * wins over the other) or until it is resumed ("hold"). */
MUST_CHECK int requests_stop(struct pg *pg, const char *kind, bool hard, int64_t *count,
                             struct err *err);

/* Takes back the holds of jobs in `selection`. */
MUST_CHECK int requests_unhold(struct pg *pg, struct err *err);

/* Open requests for jobs that run now; appended. */
MUST_CHECK int requests_open(struct pg *pg, struct request_list *out, struct err *err);

/* The attempt that they were about has ended. */
MUST_CHECK int requests_done(struct pg *pg, int64_t job, struct err *err);

#endif
