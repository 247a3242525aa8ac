/* upload.c - the pieces of a blob in their order, hashed as they come. */
#include "coordinator/store/upload.h"

#include <stdio.h>
#include <string.h>

/* The digest of what is in the database already. */
static int
hash_received(struct upload *u, struct pg *pg, struct err *err)
{
    struct buf piece = {0};
    bool found = true;
    int rc = 0;

    u->hash = sha256_stream_new();
    for (int64_t at = 0; rc == 0 && at < u->row.received; at += (int64_t)piece.len) {
        buf_clear(&piece);
        rc = blobs_read(pg, u->row.id, at / BLOB_CHUNK_BYTES, &piece, &found, err);
        if (rc == 0 && (!found || piece.len == 0))
            rc = err_set(err, ERR_DATA, "blob %s: a piece is missing", u->sha);
        if (rc == 0)
            sha256_stream_add(u->hash, piece.data, piece.len);
    }
    buf_release(&piece);
    return rc;
}

/* After the last byte. */
static int
verify(struct upload *u, struct pg *pg, bool *wrong, struct err *err)
{
    const struct sha256 got = sha256_stream_end(u->hash);

    u->hash = NULL;
    if (strcmp(got.hex, u->sha) == 0)
        return blobs_finish(pg, &u->row, err);
    *wrong = true;
    return blobs_remove(pg, u->row.id, err);
}

int
upload_open(struct upload *u, struct pg *pg, const char *sha, int64_t size,
            struct err *err)
{
    *u = (struct upload){0};
    snprintf(u->sha, sizeof u->sha, "%s", sha);
    if (blobs_begin(pg, sha, size, &u->row, err) != 0)
        return -1;
    if (u->row.stored)
        return 0;
    return hash_received(u, pg, err);
}

void
upload_release(struct upload *u)
{
    if (u->hash != NULL)
        sha256_stream_end(u->hash);
    *u = (struct upload){0};
}

/* Every piece is full but the last one; so a place in the table follows from an
 * offset. */
static bool
fits(const struct upload *u, int64_t offset, size_t size)
{
    const int64_t left = u->row.size - offset;
    const int64_t want = left < BLOB_CHUNK_BYTES ? left : BLOB_CHUNK_BYTES;

    return offset == u->row.received && (int64_t)size == want;
}

int
upload_take(struct upload *u, struct pg *pg, int64_t offset, const void *data,
            size_t size, bool *writing, bool *wrong, struct err *err)
{
    *wrong = false;
    if (u->row.stored)
        return 0;
    if (u->row.size > 0) {
        if (!fits(u, offset, size))
            return 0;
        if (blobs_written(pg, writing, err) != 0
            || blobs_append(pg, &u->row, data, size, writing, err) != 0)
            return -1;
        sha256_stream_add(u->hash, data, size); /* while the server writes */
    }
    if (u->row.received < u->row.size)
        return 0;
    return blobs_written(pg, writing, err) == 0 ? verify(u, pg, wrong, err) : -1;
}
