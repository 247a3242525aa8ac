#ifndef COORDINATOR_DISPATCH_OP_BULK_H
#define COORDINATOR_DISPATCH_OP_BULK_H

#include "coordinator/db/forms.h"
#include "coordinator/db/hot.h"
#include "coordinator/dispatch/op.h"

/*
 * The ops that every job causes, for all jobs of a batch at once. What cannot be done
 * together (results with artifacts, failures, whatever the fence has stopped) is left to
 * op_apply, one by one. Part of the caller's transaction.
 */

/* Leases that were moved; to be described. Initialise with {0}. */
struct op_leases {
    struct op **ops;
    struct hot_lease *items;
    size_t n;
};

/* Does all ops, in an order that means the same as theirs. The transaction may be over
 * then, as pg_commit will say. */
MUST_CHECK int op_apply_all(struct pg *pg, struct op *ops, size_t n,
                            struct op_leases *leases, struct arena *mem,
                            struct err *err);

/* After the commit: what their GRANTs carry; one that cannot be described, which is
 * logged, gets no spec. forms: of this database. -1: the connection is gone. */
MUST_CHECK int op_describe(struct pg *pg, struct forms *forms, struct op_leases *leases,
                           struct err *err);
void op_leases_release(struct op_leases *leases);

#endif
