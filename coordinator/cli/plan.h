#ifndef COORDINATOR_CLI_PLAN_H
#define COORDINATOR_CLI_PLAN_H

#include <stdbool.h>

#include "coordinator/sweep/dag.h"

/*
 * What a sweep would do, as one document. `known` is that of db_known with the
 * "timings" of db_timings, for which the jobs must have their names, or NULL where no
 * database was asked. Pure. New reference:
 *
 *   {"name", "title", "file", "cells": 7, "axes": [...], "notes": [...],
 *    "jobs": 20, "jobs_without_sharing": 26,
 *    "stages": [{"method", "stage", "jobs", "jobs_without_sharing", "done", "failed",
 *                "seconds_each": mean of its jobs (estimate.h) or null}],
 *    "done": jobs that have succeeded before or null, "failed": ... or null,
 *    "seconds_left": of one worker; null when a stage's time is not known,
 *    "measured": no time comes from the catalogue's guess at a worker's speed,
 *    "points": [what the file chose for each cell]}                (when asked for)
 */
json_t *plan_build(const struct sweep *s, const struct dag *d,
                   const struct catalog *catalog, const json_t *known, bool points);

#endif
