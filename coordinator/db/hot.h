#ifndef COORDINATOR_DB_HOT_H
#define COORDINATOR_DB_HOT_H

#include <stdint.h>

#include "coordinator/db/artifacts.h"
#include "coordinator/db/forms.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/metrics.h"
#include "coordinator/db/pg.h"

/*
 * The three moves that every job makes, for many jobs in one statement each: what
 * jobs_lease, attempts_started, jobs_finish and their company do for one. The fence is
 * the same: a row moves only when its attempt and state are the expected ones, and what
 * has moved is told. Steps of a transaction that the caller has begun.
 */

/* Plans that look jobs up by number, however the statistics stand. Once a connection. */
MUST_CHECK int hot_prepare(struct pg *pg, struct err *err);

/* Plans are made again when they are used next: to be called every few seconds, because
 * what is best for a table of ten rows is bad when it has a million. */
MUST_CHECK int hot_replan(struct pg *pg, struct err *err);

/* ready -> leased, for n > 0 different jobs, in one way to the server: COMMIT may go
 * along. */
struct hot_lease {
    int64_t job, attempt, worker;
    /* outcome */
    bool done;
    char *digest, *spec; /* spec: of hot_describe; the caller frees both at any rate */
    struct artifact_inputs inputs;
    struct artifact_checkpoint resume;
    /* what hot_describe goes by; hot_lease_forget frees it */
    bool has_parents;
    int64_t form;
    char *vals;
    struct buf parents;
};
MUST_CHECK int hot_lease(struct pg *pg, struct hot_lease *leases, size_t n,
                         struct err *err);

/* Fills spec, inputs and resume of those that are done: none of that changes under a
 * lease, so the transaction may be over. forms: of this database; what is missing is read
 * into it. -1: a job, or all of them, could not be described; such a one has no spec. */
MUST_CHECK int hot_describe(struct pg *pg, struct forms *forms,
                            struct hot_lease *leases, size_t n, struct err *err);
void hot_lease_forget(struct hot_lease *leases, size_t n);

/* The process of a current attempt lives. */
struct hot_start {
    int64_t job, attempt, pid;
    const char *provenance; /* JSON, "" none */
    bool done;              /* outcome: it was current */
};
MUST_CHECK int hot_start(struct pg *pg, struct hot_start *starts, size_t n,
                         struct err *err);

/* leased -> succeeded, for attempts that leave no artifacts. */
struct hot_success {
    int64_t job, attempt, exit_code, peak_rss_bytes;
    double seconds; /* below 0: unknown */
    const struct metric *finals;
    size_t n_finals;
    bool bare; /* nothing was written about this attempt since its lease, nor about an
                * earlier one: it has no row, no checkpoint, no progress */
    bool done; /* outcome: it was current */
};
/* ready: children whose parents all have succeeded now; appended. */
MUST_CHECK int hot_success(struct pg *pg, struct hot_success *ends, size_t n,
                           struct job_ready_list *ready, struct err *err);

#endif
