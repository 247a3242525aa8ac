#ifndef COORDINATOR_DISPATCH_TWINS_H
#define COORDINATOR_DISPATCH_TWINS_H

#include <stdbool.h>

#include "coordinator/db/twins.h"
#include "coordinator/dispatch/idmap.h"
#include "coordinator/dispatch/session.h"

/*
 * Jobs that are done twice to compare their numbers: either run should be as far from the
 * other one as there are workers. Pure. Initialise with {0}.
 */
enum {
    TWINS_WAIT_MS = 5 * 60 * 1000, /* that a job waits for a worker farther away */
};

enum twins_distance { TWINS_SAME_WORKER, TWINS_SAME_HOST, TWINS_APART };

struct twins {
    struct idmap by_job;
    int64_t last; /* the highest number of a re-run that is known */
};

void twins_release(struct twins *t);

/* What the database says of pairs; of a pair that is known, memory knows better. */
void twins_take(struct twins *t, const struct twin_list *pairs);

/* The worker gets this job. */
void twins_run(struct twins *t, int64_t job, const struct session *s);

/* How far the worker is from who has or had the job's twin; APART where that has not run
 * or there is none. */
enum twins_distance twins_distance(const struct twins *t, int64_t job,
                                   const struct session *s);

/* Until when the job waits for a better worker; the first call sets it. The job must have
 * a twin. */
int64_t twins_until(struct twins *t, int64_t job, int64_t now_ms);

#endif
