#ifndef COORDINATOR_STORE_UPLOAD_H
#define COORDINATOR_STORE_UPLOAD_H

#include <stdbool.h>

#include "coordinator/db/blobfile.h"
#include "coordinator/db/blobs.h"
#include "shared/base/sha256.h"

/*
 * One blob that is being received: its row, and the digest of what has come so far.
 * Steps of a transaction; when that is rolled back the upload must be dropped, for the
 * hash cannot be taken back. Of a file only the first and the last step need one.
 */
struct upload {
    struct blob_row row;        /* received: also of a file */
    struct blobfile_part part;  /* of a file */
    struct sha256_stream *hash; /* of row.received bytes; NULL when stored */
    int64_t used_ms;            /* for dropping what nobody sends any more */
};

/* Begins or goes on: reads what an earlier coordinator has received into the hash. A blob
 * that is new goes into a file of `folder`, 0: into the database. */
MUST_CHECK int upload_open(struct upload *u, struct pg *pg, const char *sha,
                           int64_t size, int64_t folder, struct err *err);
void upload_release(struct upload *u);

/* Taking this piece asks nothing of the database: it goes into a file, and more come. */
bool upload_needs_no_rows(const struct upload *u, int64_t offset, size_t size);

/* Takes the piece at `offset`. A piece that is not the next one is left out (a repeat,
 * or one before it was lost: the sender hears where to go on). After the last one the
 * digest is checked; *wrong: it did not match, and the blob was removed. The server may
 * still be writing the piece then (*writing, see blobs_append). */
MUST_CHECK int upload_take(struct upload *u, struct pg *pg, int64_t offset,
                           const void *data, size_t size, bool *writing, bool *wrong,
                           struct err *err);

#endif
