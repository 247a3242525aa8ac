#ifndef COORDINATOR_WEB_ETA_H
#define COORDINATOR_WEB_ETA_H

#include <stdbool.h>

#include "shared/base/json.h"

/*
 * When a sweep will be done, from what its finished jobs took. The range is Graham's for
 * list scheduling (1969, "Bounds on multiprocessing timing anomalies"): no schedule on m
 * slots is shorter than work / m, and none without idling is longer than
 * work / m + chain (m - 1) / m, where chain is the longest way through the stages.
 */
struct eta {
    bool known;    /* false: no slot, or no stage has finished a job */
    double lo, hi; /* seconds from now */
    int64_t left;  /* jobs that still have to run */
};

/* sweep: with the stages of counts.h. Stages without a finished job count as the mean of the others.
 * Pure. */
struct eta eta_of(const json_t *sweep);

#endif
