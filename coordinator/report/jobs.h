#ifndef COORDINATOR_REPORT_JOBS_H
#define COORDINATOR_REPORT_JOBS_H

#include "shared/base/json.h"

/* Jobs of all cells, each once although cells share them. */

/* New array in the order of first appearance: the rows' job records without their
 * provenance, plus "cells": [indices of the cells that need the job] and "depth": its
 * place in the longest chain that it is part of. */
json_t *jobs_list(const json_t *cells);

/* Jobs that failed, grouped by cause: the fingerprint that the queue recorded or else
 * stage, kind of error and its text without the numbers in it. New array, most frequent
 * first:
 *   {"fingerprint", "kind", "stage", "text": of the first job, "count", "jobs": [ids],
 *    "dependants": number of jobs that were never run because of it,
 *    "cells": [indices of the cells that are lost]} */
json_t *jobs_failures(const json_t *jobs);

/* Work by stage, in the order of the chain:
 *   [{"stage", "jobs", "succeeded", "failed", "seconds", "unshared_seconds": had every
 *     cell run its own, "depth"}] */
json_t *jobs_stages(const json_t *jobs);

/* What ran it: every scalar that the jobs' provenance records, by name, and how many
 * jobs have each value: [{"key", "values": [{"value", "jobs"}]}]. New reference. */
json_t *jobs_provenance(const json_t *cells);

#endif
