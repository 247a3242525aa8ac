#ifndef COORDINATOR_DISPATCH_CONTRACT_H
#define COORDINATOR_DISPATCH_CONTRACT_H

#include <stdbool.h>

#include "shared/base/json.h"
#include "shared/base/mem.h"
#include "shared/wire/msg.h"

/*
 * What a catalogue promises of results: a job whose stage declares metrics and artifacts
 * and whose result lacks one of them has not succeeded, whatever its process says. Pure.
 */

/* {"<method>": {"<stage>": [rows `gives`]}} of a catalogue; NULL when it promises
 * nothing. New reference. */
json_t *contract_of_catalog(const json_t *catalog);

/* Does it promise anything of jobs with this spec, the text of a document? */
bool contract_binds(const json_t *contract, const char *spec);

/* NULL when the result "ok" of a job with this spec keeps the contract; else a RESULT
 * that says what it lacks, with outcome "contract". It lives in `mem`. */
const struct msg *contract_fault(const json_t *contract, const json_t *spec,
                                 const struct msg_result *m, struct arena *mem);

#endif
