#ifndef COORDINATOR_DISPATCH_OP_END_H
#define COORDINATOR_DISPATCH_OP_END_H

#include "coordinator/dispatch/op.h"
#include "shared/spec/metric.h"

/* The end of an attempt, and what follows from it for the job and its dependants. */

struct op_success {
    const struct metric *finals;
    size_t n_finals;
};

/* A RESULT "ok" of the current attempt; disposition "missing" when a blob is. */
MUST_CHECK int op_end_success(struct pg *pg, struct op *op, const struct op_success *s,
                              struct err *err);

/* Any other RESULT of the current attempt. */
MUST_CHECK int op_end_failure(struct pg *pg, struct op *op, struct arena *mem,
                              struct err *err);

/* A RESULT of an attempt that is not the sender's current one and never had a result.
 * given_up: it is an attempt that was lost or handed back, which people may want to
 * know. */
MUST_CHECK int op_end_refused(struct pg *pg, struct op *op, bool given_up,
                              struct err *err);

MUST_CHECK int op_end_lost(struct pg *pg, struct op *op, struct arena *mem,
                           struct err *err);
MUST_CHECK int op_end_returned(struct pg *pg, struct op *op, struct arena *mem,
                               struct err *err);

#endif
