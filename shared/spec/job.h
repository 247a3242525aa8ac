#ifndef SHARED_SPEC_JOB_H
#define SHARED_SPEC_JOB_H

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "shared/base/sha256.h"
#include "shared/spec/catalog.h"

/*
 * A job is one stage with just the parameters that this stage depends on, named by the
 * digest of them and of its parents. As JSON (what the database stores, GRANT carries
 * and a stage's process reads):
 *
 *   {"version": 1, "method": "rlnet", "stage": "mask", "revision": 1,
 *    "params": {"dataset": "fashion-mnist", "relu_budget": "50000", ...},
 *    "inputs": {"teacher": "<digest of the teacher job>"}}
 *
 * A job that does again what another one did, to compare the numbers, has "repeat": 1 too.
 * The digest is SHA-256 over the canonical text (shared/base/json.h). Host names, paths,
 * times and sweep names never enter it.
 */
enum { JOB_SPEC_VERSION = 1 };

/* Builds the spec of `stage` from a cell's values (canonical JSON; defaults are taken
 * where absent). `inputs` is an object stage name -> parent digest. New reference. */
json_t *job_spec_build(const struct catalog_method *m,
                       const struct catalog_stage *stage, const json_t *values,
                       const json_t *inputs);

/* Name of a job. */
struct sha256 job_spec_digest(const json_t *spec);

/* Checks that a document has the shape of a spec. */
MUST_CHECK int job_spec_check(const json_t *spec, struct err *err);

#endif
