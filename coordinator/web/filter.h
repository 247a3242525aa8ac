#ifndef COORDINATOR_WEB_FILTER_H
#define COORDINATOR_WEB_FILTER_H

#include "coordinator/db/webreads.h"
#include "coordinator/web/request.h"
#include "shared/base/mem.h"

/*
 * Which jobs, as written in an address:
 *
 *   state=failed&stage=finetune&where=relu_budget>=50k temperature=4
 *   cause=<fingerprint of a failure>
 *   job=12&job=15     (chosen=1 beside it: there must be at least one)
 *
 * The sweep comes from the path, or from the field `sweep`. Text of the filter is
 * borrowed from the request and from `mem`. ERR_USAGE says what cannot be read.
 */
MUST_CHECK int filter_read(struct db_web_filter *out, struct arena *mem,
                           const struct request *r, int64_t sweep, struct err *err);

#endif
