#ifndef COORDINATOR_DB_WORKERS_H
#define COORDINATOR_DB_WORKERS_H

#include "coordinator/db/pg.h"

/* Tables worker and progress; steps of a transaction. */

struct worker_row {
    const char *boot, *name, *host, *version;
    int64_t slots, threads;
    int64_t memory_bytes;         /* 0: not known */
    const char *labels, *backend; /* "" or NULL: none */
};

/* A hello: the row of this process, made or refreshed. */
MUST_CHECK int workers_connected(struct pg *pg, const struct worker_row *w, int64_t *id,
                                 struct err *err);

/* Goodbye, or silence. boot NULL: all (a new coordinator knows nobody yet). */
MUST_CHECK int workers_gone(struct pg *pg, const char *boot, struct err *err);

struct worker_progress {
    int64_t job, attempt, epoch, epochs, step, steps;
    double images_per_second, loss, seconds_left;
};

/* Where running stages are; at most once a second. */
MUST_CHECK int workers_progress(struct pg *pg, const struct worker_progress *rows,
                                size_t n, struct err *err);

/* A job that does not run any more has no progress. */
MUST_CHECK int workers_forget_progress(struct pg *pg, int64_t job, struct err *err);

#endif
