#ifndef COORDINATOR_DB_BLOBS_H
#define COORDINATOR_DB_BLOBS_H

#include <stdbool.h>

#include "coordinator/db/pg.h"

/*
 * Tables blob and blob_chunk: bytes named by their SHA-256, in pieces of
 * BLOB_CHUNK_BYTES. A blob counts as stored only after its digest was verified. Steps of
 * a transaction.
 */
enum { BLOB_CHUNK_BYTES = 1 << 20 };

struct blob_row {
    int64_t id; /* 0: not there */
    int64_t size, received;
    bool stored;
};

/* Number of the stored blob `sha`, 0 if it is not stored. */
MUST_CHECK int blobs_find(struct pg *pg, const char *sha, int64_t *id, struct err *err);

/* The row, stored or not. */
MUST_CHECK int blobs_row(struct pg *pg, const char *sha, struct blob_row *out,
                         struct err *err);

/* The row, made if it is not there. One of another size that is not stored is begun
 * anew. */
MUST_CHECK int blobs_begin(struct pg *pg, const char *sha, int64_t size,
                           struct blob_row *out, struct err *err);

/* Appends the next piece; it must begin at row->received, which grows. The server works on
 * it while the caller goes on: *writing is set, and must not be already. */
MUST_CHECK int blobs_append(struct pg *pg, struct blob_row *row, const void *data,
                            size_t size, bool *writing, struct err *err);

/* Waits for the piece that is being written, if one is (*writing, which is cleared); before
 * anything else is asked of the connection. */
MUST_CHECK int blobs_written(struct pg *pg, bool *writing, struct err *err);

/* All is there and verified. */
MUST_CHECK int blobs_finish(struct pg *pg, struct blob_row *row, struct err *err);

/* Removes a blob that did not verify. */
MUST_CHECK int blobs_remove(struct pg *pg, int64_t id, struct err *err);

/* Removes a blob that no artifact and no checkpoint points at. */
MUST_CHECK int blobs_drop_unused(struct pg *pg, int64_t id, struct err *err);

/* Removes blobs that nobody points at: complete ones after an hour (checkpoints that were
 * overtaken, results that were refused), others after a day (uploads that were given
 * up). */
MUST_CHECK int blobs_sweep(struct pg *pg, struct err *err);

/* Appends the piece at `place` to `out`. */
MUST_CHECK int blobs_read(struct pg *pg, int64_t id, int64_t place, struct buf *out,
                          bool *found, struct err *err);

#endif
