#ifndef COORDINATOR_DISPATCH_BATCH_H
#define COORDINATOR_DISPATCH_BATCH_H

#include "coordinator/db/forms.h"
#include "coordinator/dispatch/op.h"

/* Ops that are committed together, and the memory that their messages live in. */
struct batch {
    struct arena mem;
    struct op *ops;
    size_t n, capacity;
    int64_t max_lost; /* goes into every op; the owner sets it */
};

/* A new op at the end; borrowed until the next one. */
struct op *batch_add(struct batch *b, enum op_kind kind);

/* Writes all ops in one transaction. When one of them cannot be written, each gets a
 * transaction of its own and the bad ones are marked `failed`. forms: of this database.
 * -1: the connection is gone, and nobody knows if the commit happened. */
MUST_CHECK int batch_commit(struct batch *b, struct pg *pg, struct forms *forms,
                            struct err *err);

/* Empties it for the next round. */
void batch_clear(struct batch *b);
void batch_release(struct batch *b);

#endif
