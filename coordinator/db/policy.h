#ifndef COORDINATOR_DB_POLICY_H
#define COORDINATOR_DB_POLICY_H

#include "coordinator/db/pg.h"

/* A sweep's policy (coordinator/sweep/policy.h) in the tables, and what follows from it
 * when jobs fail. Steps of a transaction. */

/* After a sweep and its jobs were written. policy NULL: nothing was said. */
MUST_CHECK int policy_apply(struct pg *pg, int64_t sweep, const json_t *policy,
                            struct err *err);

/* After an attempt has failed in a way that can be compared with others, on the machine
 * of its worker: a machine on which three jobs failed alike within an hour, one of which
 * another machine could do, gets no jobs for a while. *rests: this is such a one. */
MUST_CHECK int policy_blame_host(struct pg *pg, int64_t job, const char *fingerprint,
                                 bool *rests, struct err *err);

/* After a job has failed for good: sweeps of it whose on_failure says so are paused.
 * *stopped: there was one. */
MUST_CHECK int policy_stop_sweeps(struct pg *pg, int64_t job, bool *stopped,
                                  struct err *err);

#endif
