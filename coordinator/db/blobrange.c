/* blobrange.c - a part of a blob, read from the pieces that have it. */
#include "coordinator/db/blobrange.h"

#include "coordinator/db/blobs.h"
#include "coordinator/db/handle.h"

int
db_blob_range(struct db *db, const char *sha, int64_t offset, int64_t size,
              struct buf *out, struct err *err)
{
    const int64_t end = offset + size;
    struct buf piece = {0};
    struct blob_row row;
    int rc = 0;

    if (blobs_row(db->pg, sha, &row, err) != 0)
        return -1;
    if (!row.stored)
        return err_set(err, ERR_USAGE, "there is no artifact %s", sha);
    if (offset < 0 || size < 0 || end > row.size)
        return err_set(err, ERR_DATA, "blob %s ends at byte %lld, before %lld", sha,
                       (long long)row.size, (long long)end);
    for (int64_t at = offset; rc == 0 && at < end;) {
        const int64_t place = at / BLOB_CHUNK_BYTES, skip = at % BLOB_CHUNK_BYTES;
        buf_clear(&piece);
        rc = blobs_read(db->pg, &row, place, &piece, err);
        if (rc == 0 && (int64_t)piece.len <= skip) {
            rc = err_set(err, ERR_DATA, "blob %s: a piece is missing at byte %lld", sha,
                         (long long)at);
        } else if (rc == 0) {
            const int64_t rest = (int64_t)piece.len - skip;
            const int64_t n = rest < end - at ? rest : end - at;
            buf_add(out, piece.data + skip, (size_t)n);
            at += n;
        }
    }
    buf_release(&piece);
    return rc;
}
