#ifndef COORDINATOR_DB_BLOBS_H
#define COORDINATOR_DB_BLOBS_H

#include <stdbool.h>

#include "coordinator/db/pg.h"
#include "shared/base/sha256.h"

/*
 * Tables blob and blob_chunk: bytes named by their SHA-256, in pieces of
 * BLOB_CHUNK_BYTES, or in a file (blobfile.h) where the row names a folder. A blob counts
 * as stored only after its digest was verified. Steps of a transaction.
 */
enum { BLOB_CHUNK_BYTES = 1 << 20, BLOB_FOLDER_MAX = 1024 };

struct blob_row {
    int64_t id; /* 0: not there */
    char sha[65];
    int64_t size, received; /* received: of a file, 0 until it is stored */
    bool stored;
    char folder[BLOB_FOLDER_MAX]; /* of its file; "": it is in blob_chunk */
};

/* Number of the stored blob `sha`, 0 if it is not stored. */
MUST_CHECK int blobs_find(struct pg *pg, const char *sha, int64_t *id, struct err *err);

/* The row, stored or not. */
MUST_CHECK int blobs_row(struct pg *pg, const char *sha, struct blob_row *out,
                         struct err *err);

/* The row, made if it is not there, in a file of `folder` (blobfolder.h) or, where that
 * is 0, in blob_chunk. One of another size that is not stored is begun anew. */
MUST_CHECK int blobs_begin(struct pg *pg, const char *sha, int64_t size, int64_t folder,
                           struct blob_row *out, struct err *err);

/* Appends the next piece of a blob that is in blob_chunk; it must begin at row->received, which grows. The server works on
 * it while the caller goes on: *writing is set, and must not be already. */
MUST_CHECK int blobs_append(struct pg *pg, struct blob_row *row, const void *data,
                            size_t size, bool *writing, struct err *err);

/* Waits for the piece that is being written, if one is (*writing, which is cleared); before
 * anything else is asked of the connection. */
MUST_CHECK int blobs_written(struct pg *pg, bool *writing, struct err *err);

/* All is there and verified; a file has its name. */
MUST_CHECK int blobs_finish(struct pg *pg, struct blob_row *row, struct err *err);

/* Removes a blob that did not verify. */
MUST_CHECK int blobs_remove(struct pg *pg, int64_t id, struct err *err);

/* Removes a blob that no artifact and no checkpoint points at. */
MUST_CHECK int blobs_drop_unused(struct pg *pg, int64_t id, struct err *err);

/* Removes blobs that nobody points at: complete ones after an hour (checkpoints that were
 * overtaken, results that were refused), others after a day (uploads that were given
 * up). Files go later (blobfolder.h). *n: how many blobs. */
MUST_CHECK int blobs_sweep(struct pg *pg, int64_t *n, struct err *err);

/* Appends the piece at `place` of a stored blob, or of one in blob_chunk, to `out`.
 * ERR_DATA when it is not there. */
MUST_CHECK int blobs_read(struct pg *pg, const struct blob_row *row, int64_t place,
                          struct buf *out, struct err *err);

/* Adds the first `bytes` bytes, whole pieces or all, as blobs_read gives them. */
MUST_CHECK int blobs_hash(struct pg *pg, const struct blob_row *row, int64_t bytes,
                          struct sha256_stream *hash, struct err *err);

#endif
