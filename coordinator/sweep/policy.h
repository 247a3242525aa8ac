#ifndef COORDINATOR_SWEEP_POLICY_H
#define COORDINATOR_SWEEP_POLICY_H

#include "coordinator/sweep/yaml.h"
#include "shared/base/json.h"
#include "shared/spec/catalog.h"

/*
 * The keys of a sweep file that say how its jobs are run, not what they are: they change
 * no digest. As JSON:
 *
 *   {"limits": [{"stage": "teacher", "label": "", "most": 4}],   absent: no key `limits`
 *    "terms": {"all": {"memory_bytes", "threads", "labels", "backend", "timeout_s",
 *              "stall_s", "retries_error", "retries_lost", "retries_oom",
 *              "retries_timeout"}, "<stage>": {...}},
 *    "on_failure": {"failed": 10, "percent": 50},                absent: continue
 *    "order": "spread",                                          absent: as in the file
 *    "verify": 2.0}             per cent of the jobs that are done again; absent: none
 */
enum policy_key {
    POLICY_LIMITS,
    POLICY_NEEDS,
    POLICY_TIMEOUT,
    POLICY_STALL,
    POLICY_RETRIES,
    POLICY_ON_FAILURE,
    POLICY_ORDER,
    POLICY_VERIFY,
    POLICY_KEYS
};
extern const char *const policy_keys[POLICY_KEYS + 1]; /* NULL-terminated */

/* Reads their values; nodes[key] is NULL where the file says nothing. ERR_USAGE with
 * file:line:column. New reference. */
MUST_CHECK int policy_read(json_t **out, const struct yaml_node *const *nodes,
                           const struct catalog_method *const *methods,
                           size_t n_methods, struct err *err);

#endif
