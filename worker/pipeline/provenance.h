#ifndef WORKER_PIPELINE_PROVENANCE_H
#define WORKER_PIPELINE_PROVENANCE_H

#include "shared/base/json.h"
#include "worker/engine/backend.h"

/* On what an attempt's numbers were made: host, CPU, program, backend, BLAS core,
 * threads, numerics profile (RELUSWEEP_PROFILE). New reference. */
json_t *provenance_describe(const struct backend *backend, int threads);

#endif
