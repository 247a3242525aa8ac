#ifndef COORDINATOR_CLI_PLAN_H
#define COORDINATOR_CLI_PLAN_H

#include <stdbool.h>

#include "coordinator/sweep/sweep.h"

/*
 * What a sweep would do, as one document. `known` is that of db_known, or NULL where no
 * database was asked. Pure. New reference:
 *
 *   {"name", "title", "file", "cells": 7, "axes": [...], "notes": [...],
 *    "jobs": 20, "jobs_without_sharing": 26,
 *    "stages": [{"method", "stage", "jobs", "jobs_without_sharing", "done", "failed",
 *                "seconds_each": mean of finished jobs of this stage or null}],
 *    "done": jobs that have succeeded before or null, "failed": ... or null,
 *    "seconds_left": of one worker; null when a stage's time is not known,
 *    "points": [what the file chose for each cell]}                (when asked for)
 */
json_t *plan_build(const struct sweep *s, const struct dag *d, const json_t *known,
                   bool points);

#endif
