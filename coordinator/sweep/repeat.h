#ifndef COORDINATOR_SWEEP_REPEAT_H
#define COORDINATOR_SWEEP_REPEAT_H

#include "coordinator/sweep/dag.h"

/*
 * Re-runs: jobs that do again what another job of the sweep does, to compare the numbers.
 * Their spec has "repeat": 1 and is else the same, so they have names of their own; they
 * belong to the sweep and to no cell, and nothing waits for them.
 */

/* Adds one for about `percent` of the jobs, at least for one where percent > 0; which
 * ones their digests decide, so that a sweep that grows keeps them. Names all jobs. */
void repeat_add(struct dag *d, double percent);

#endif
