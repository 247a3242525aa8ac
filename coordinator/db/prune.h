#ifndef COORDINATOR_DB_PRUNE_H
#define COORDINATOR_DB_PRUNE_H

#include "coordinator/db/db.h"

struct db_pruned {
    int64_t events, points, logs; /* rows that were deleted; logs in pieces */
    int64_t blobs, files; /* blobs that nobody needed; files, theirs and others */
};

/* Deletes what is older than so many days and nobody decides anything from: events, and
 * curves and logs of jobs that have ended. Final metrics, attempts and artifacts stay. And
 * at any age (blobs.h, orphans.h) blobs that nobody points at, and files without a blob. In
 * small transactions, beside a queue in use; stopped in the middle it has done a part. */
MUST_CHECK int db_prune(struct db *db, int64_t days, struct db_pruned *out,
                        struct err *err);

#endif
