#ifndef COORDINATOR_DB_BLOBRANGE_H
#define COORDINATOR_DB_BLOBRANGE_H

#include "coordinator/db/db.h"
#include "shared/base/buf.h"

/* Appends `size` bytes from `offset` on of a stored blob, for a look into a large file;
 * its digest, which was verified when it was stored, is not checked again. ERR_DATA when
 * it ends before that, ERR_USAGE when there is no such blob. */
MUST_CHECK int db_blob_range(struct db *db, const char *sha, int64_t offset,
                             int64_t size, struct buf *out, struct err *err);

#endif
