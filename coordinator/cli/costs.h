#ifndef COORDINATOR_CLI_COSTS_H
#define COORDINATOR_CLI_COSTS_H

#include "coordinator/cli/estimate.h"
#include "coordinator/sweep/dag.h"
#include "coordinator/sweep/rowset.h"

/* The estimates (estimate.h) of a sweep's jobs, each made once for all jobs that agree in
 * what an estimate reads. Initialised by costs_init. */
struct costs {
    struct estimate *estimate; /* borrowed */
    const struct dag *dag;     /* borrowed */
    bool **reads;              /* a stage and column: do estimates depend on it? */
    double *seconds;           /* a job; only of the first of those that agree */
    uint32_t *last;            /* a stage; the first one that was found last */
    struct rowset firsts;
};

void costs_init(struct costs *c, struct estimate *e, const struct dag *d);
void costs_release(struct costs *c);

/* Seconds of one worker, -1 where nothing tells. */
double costs_of(struct costs *c, size_t job);

#endif
