/*
 * upload.c - the pieces of a blob in their order, hashed as they come, into rows or a
 * file. Invariant: a file gets its name, and then its row, after its digest was verified
 * and its bytes are on disk.
 */
#include "coordinator/store/upload.h"

#include <string.h>

#include "coordinator/db/blobfolder.h"

/* ---- opening ---------------------------------------------------------------------- */

/* The digest of what is in the file already, whole pieces. */
static int
hash_file(struct upload *u, struct err *err)
{
    size_t got = 0;
    int rc = 0;

    for (int64_t at = 0; rc == 0 && at < u->row.received; at += (int64_t)got) {
        rc = blobfile_read(u->part.fd, at, u->part.block, BLOB_CHUNK_BYTES, &got, err);
        if (rc == 0 && got == 0)
            rc = err_set(err, ERR_SYS, "blob %s: its file was cut", u->row.sha);
        sha256_stream_add(u->hash, u->part.block, got);
    }
    return rc;
}

static int
open_file(struct upload *u, struct err *err)
{
    if (blobfile_open_part(&u->part, &u->row.received, u->row.folder, u->row.sha,
                           u->row.size, BLOB_CHUNK_BYTES, err)
        != 0)
        return -1;
    return hash_file(u, err);
}

int
upload_open(struct upload *u, struct pg *pg, const char *sha, int64_t size,
            int64_t folder, struct err *err)
{
    *u = (struct upload){.part.fd = -1};
    if (blobs_begin(pg, sha, size, folder, &u->row, err) != 0)
        return -1;
    if (u->row.stored)
        return 0;
    u->hash = sha256_stream_new();
    return u->row.folder[0] != '\0'
               ? open_file(u, err)
               : blobs_hash(pg, &u->row, u->row.received, u->hash, err);
}

void
upload_release(struct upload *u)
{
    if (u->hash != NULL)
        sha256_stream_end(u->hash);
    blobfile_close_part(&u->part);
    *u = (struct upload){.part.fd = -1};
}

/* ---- taking ----------------------------------------------------------------------- */

/* After the last byte. */
static int
verify(struct upload *u, struct pg *pg, bool *wrong, struct err *err)
{
    const struct sha256 got = sha256_stream_end(u->hash);

    u->hash = NULL;
    *wrong = strcmp(got.hex, u->row.sha) != 0;
    if (u->part.fd >= 0
        && (blobfolder_lock(pg, err) != 0
            || (*wrong ? blobfile_drop(u->row.folder, u->row.sha, err)
                       : blobfile_keep(&u->part, u->row.folder, u->row.sha, err))
                   != 0))
        return -1;
    return *wrong ? blobs_remove(pg, u->row.id, err) : blobs_finish(pg, &u->row, err);
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

bool
upload_needs_no_rows(const struct upload *u, int64_t offset, size_t size)
{
    return u->part.fd >= 0 && u->row.size > 0
           && (!fits(u, offset, size) || offset + (int64_t)size < u->row.size);
}

/* To where it belongs; hashed while the server writes. */
static int
append(struct upload *u, struct pg *pg, const void *data, size_t size, bool *writing,
       struct err *err)
{
    int rc;

    if (u->part.fd < 0)
        rc = blobs_written(pg, writing, err) == 0
                     && blobs_append(pg, &u->row, data, size, writing, err) == 0
                 ? 0
                 : -1;
    else
        rc = blobfile_write(&u->part, u->row.received, data, size, u->row.folder, err);
    if (rc != 0)
        return -1;
    u->row.received += u->part.fd >= 0 ? (int64_t)size : 0;
    sha256_stream_add(u->hash, data, size);
    return 0;
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
        if (append(u, pg, data, size, writing, err) != 0)
            return -1;
    }
    if (u->row.received < u->row.size)
        return 0;
    return blobs_written(pg, writing, err) == 0 ? verify(u, pg, wrong, err) : -1;
}
