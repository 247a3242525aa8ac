#ifndef COORDINATOR_DISPATCH_OP_BULK_H
#define COORDINATOR_DISPATCH_OP_BULK_H

#include "coordinator/db/forms.h"
#include "coordinator/dispatch/op.h"

/*
 * The ops that every job causes, for all jobs of a batch at once. What cannot be done
 * together (results with artifacts, failures, whatever the fence has stopped) is left to
 * op_apply, one by one. Part of the caller's transaction.
 */

/* Does all ops, in an order that means the same as theirs. forms: of this database. */
MUST_CHECK int op_apply_all(struct pg *pg, struct forms *forms, struct op *ops,
                            size_t n, struct arena *mem, struct err *err);

#endif
