#ifndef COORDINATOR_CLI_LATENCY_H
#define COORDINATOR_CLI_LATENCY_H

#include <stdbool.h>

#include "coordinator/db/db.h"
#include "coordinator/launch/local.h"

/* Times from submission to start, of jobs that are submitted one by one, each when the one
 * before it is done. */
struct latency;

struct latency *latency_new(void);
void latency_free(struct latency *l);

/* Returns when the job is done; looks each `pause` ms. ERR_* of the programs that end, and
 * of the database. */
MUST_CHECK int latency_wait(struct local *programs, struct db *db, int64_t job,
                            int64_t pause, struct err *err);

/* Submits up to n. ahead: with a priority, and only until job number ahead is done, of
 * those that wait; 0: of no other. */
MUST_CHECK int latency_submit(struct latency *l, struct local *programs, struct db *db,
                              int64_t n, int64_t ahead, struct err *err);

/* How many were submitted. */
int64_t latency_count(const struct latency *l);

struct percentiles {
    double p50_ms, p99_ms;
};

/* From the call that submits, and from its end, to the start; a row's commit meanwhile. */
struct latency_result {
    struct percentiles call, done, commit;
};

/* dir: of the files in which so many workers wrote when each job began; they have ended.
 * ERR_BUG where a start is missing. */
MUST_CHECK int latency_read(const struct latency *l, const char *dir, int64_t workers,
                            struct latency_result *out, struct err *err);

#endif
