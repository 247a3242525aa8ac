/*
 * blobs.c - only writer of blob and blob_chunk. Hashing and writing files is the business
 * of the store; here are rows, and reading from wherever they say.
 */
#include "coordinator/db/blobs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/db/blobfile.h"
#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

int
blobs_find(struct pg *pg, const char *sha, int64_t *id, struct err *err)
{
    return pg_number(pg, id, NULL, "SELECT id FROM blob WHERE sha = $1 AND stored",
                     PG_ARGS(PG_TEXT(sha)), err);
}

int
blobs_row(struct pg *pg, const char *sha, struct blob_row *out, struct err *err)
{
    struct pg_rows rows;

    *out = (struct blob_row){0};
    if (pg_query(pg, &rows,
                 "SELECT b.id, b.size, b.received, b.stored::int, f.path FROM blob b"
                 " LEFT JOIN blob_folder f ON f.id = b.folder WHERE b.sha = $1",
                 PG_ARGS(PG_TEXT(sha)), err)
        != 0)
        return -1;
    if (rows.n > 0) {
        *out = (struct blob_row){.id = pg_int_at(&rows, 0, 0),
                                 .size = pg_int_at(&rows, 0, 1),
                                 .received = pg_int_at(&rows, 0, 2),
                                 .stored = pg_int_at(&rows, 0, 3) != 0};
        snprintf(out->sha, sizeof out->sha, "%s", sha);
        snprintf(out->folder, sizeof out->folder, "%s", pg_text_at(&rows, 0, 4));
    }
    pg_rows_release(&rows);
    return 0;
}

int
blobs_begin(struct pg *pg, const char *sha, int64_t size, int64_t folder,
            struct blob_row *out, struct err *err)
{
    if (blobs_row(pg, sha, out, err) != 0)
        return -1;
    if (out->id != 0 && out->size != size && !out->stored) {
        if (blobs_remove(pg, out->id, err) != 0)
            return -1;
        out->id = 0;
    }
    if (out->id != 0)
        return 0;
    if (pg_query(
            pg, NULL,
            "INSERT INTO blob (sha, size, folder) VALUES ($1, $2, nullif($3::int, 0))"
            " ON CONFLICT (sha) DO NOTHING",
            PG_ARGS(PG_TEXT(sha), PG_INT(size), PG_INT(folder)), err)
        != 0)
        return -1;
    return blobs_row(pg, sha, out, err);
}

int
blobs_append(struct pg *pg, struct blob_row *row, const void *data, size_t size,
             bool *writing, struct err *err)
{
    assert(!*writing);
    if (pg_send(pg,
                "WITH piece AS (INSERT INTO blob_chunk (blob, place, data)"
                " VALUES ($1, $2, $3))"
                " UPDATE blob SET received = received + $4 WHERE id = $1",
                PG_ARGS(PG_INT(row->id), PG_INT(row->received / BLOB_CHUNK_BYTES),
                        PG_BYTES(data, size), PG_INT((int64_t)size)),
                err)
        != 0)
        return -1;
    *writing = true;
    row->received += (int64_t)size;
    return 0;
}

int
blobs_written(struct pg *pg, bool *writing, struct err *err)
{
    if (!*writing)
        return 0;
    *writing = false;
    return pg_take(pg, NULL, err);
}

int
blobs_finish(struct pg *pg, struct blob_row *row, struct err *err)
{
    row->stored = true;
    row->received = row->size;
    if (pg_script(pg, "SET LOCAL synchronous_commit = on", err) != 0)
        return -1;
    return pg_query(pg, NULL,
                    "UPDATE blob SET stored = true, received = size"
                    " WHERE id = $1 AND (received = size OR folder IS NOT NULL)",
                    PG_ARGS(PG_INT(row->id)), err);
}

int
blobs_remove(struct pg *pg, int64_t id, struct err *err)
{
    return pg_query(pg, NULL, "DELETE FROM blob WHERE id = $1", PG_ARGS(PG_INT(id)),
                    err);
}

int
blobs_drop_unused(struct pg *pg, int64_t id, struct err *err)
{
    return pg_query(
        pg, NULL,
        "DELETE FROM blob b WHERE id = $1"
        " AND NOT EXISTS (SELECT 1 FROM artifact a WHERE a.blob = b.id)"
        " AND NOT EXISTS (SELECT 1 FROM checkpoint_head c WHERE c.blob = b.id)",
        PG_ARGS(PG_INT(id)), err);
}

int
blobs_sweep(struct pg *pg, int64_t *n, struct err *err)
{
    return pg_change(
        pg, n,
        "DELETE FROM blob b WHERE created_at"
        " < now() - CASE WHEN stored THEN interval '1 hour' ELSE interval '1 day' END"
        " AND NOT EXISTS (SELECT 1 FROM artifact a WHERE a.blob = b.id)"
        " AND NOT EXISTS (SELECT 1 FROM checkpoint_head c WHERE c.blob = b.id)",
        PG_NONE, err);
}

static int
read_from_file(const struct blob_row *row, int64_t place, struct buf *out,
               struct err *err)
{
    char *piece = xmalloc(BLOB_CHUNK_BYTES);
    size_t got = 0;
    int fd, rc = blobfile_open(&fd, row->folder, row->sha, row->size, err);

    if (rc == 0) {
        rc = blobfile_read(fd, place * BLOB_CHUNK_BYTES, piece, BLOB_CHUNK_BYTES, &got,
                           err);
        close(fd);
    }
    if (rc == 0)
        buf_add(out, piece, got);
    free(piece);
    return rc;
}

int
blobs_read(struct pg *pg, const struct blob_row *row, int64_t place, struct buf *out,
           struct err *err)
{
    const size_t before = out->len;
    bool found = true;
    const int rc =
        row->folder[0] != '\0'
            ? read_from_file(row, place, out, err)
            : pg_bytes(pg, out, &found,
                       "SELECT data FROM blob_chunk WHERE blob = $1 AND place = $2",
                       PG_ARGS(PG_INT(row->id), PG_INT(place)), err);

    if (rc == 0 && out->len == before)
        return err_set(err, ERR_DATA, "blob %s: a piece is missing at byte %lld",
                       row->sha, (long long)(place * BLOB_CHUNK_BYTES));
    return rc;
}

typedef int piece_fn(void *ctx, const void *data, size_t size, struct err *err);

/* The first so many bytes, piece by piece. */
static int
each_piece(struct pg *pg, const struct blob_row *row, int64_t bytes, piece_fn *fn,
           void *ctx, struct err *err)
{
    struct buf piece = {0};
    int rc = 0;

    for (int64_t at = 0; rc == 0 && at < bytes; at += (int64_t)piece.len) {
        buf_clear(&piece);
        rc = blobs_read(pg, row, at / BLOB_CHUNK_BYTES, &piece, err);
        if (rc == 0)
            rc = fn(ctx, piece.data, piece.len, err);
    }
    buf_release(&piece);
    return rc;
}

static int
hash_piece(void *ctx, const void *data, size_t size, struct err *err)
{
    (void)err;
    sha256_stream_add(ctx, data, size);
    return 0;
}

int
blobs_hash(struct pg *pg, const struct blob_row *row, int64_t bytes,
           struct sha256_stream *hash, struct err *err)
{
    return each_piece(pg, row, bytes, hash_piece, hash, err);
}

struct copy {
    struct sha256_stream *hash;
    FILE *file;
    const char *path;
};

static int
copy_piece(void *ctx, const void *data, size_t size, struct err *err)
{
    struct copy *c = ctx;

    sha256_stream_add(c->hash, data, size);
    return fwrite(data, 1, size, c->file) == size ? 0
                                                  : err_sys(err, "write %s", c->path);
}

/* Copies all pieces into an open file and checks the digest on the way. */
static int
copy_out(struct pg *pg, const struct blob_row *row, FILE *file, const char *path,
         struct err *err)
{
    struct copy c = {sha256_stream_new(), file, path};
    const int rc = each_piece(pg, row, row->size, copy_piece, &c, err);
    const struct sha256 got = sha256_stream_end(c.hash);

    if (rc == 0 && strcmp(got.hex, row->sha) != 0)
        return err_set(err, ERR_DATA, "blob %s is damaged in %s (it hashes to %s)",
                       row->sha, row->folder[0] ? row->folder : "the database",
                       got.hex);
    return rc;
}

int
db_blob_save(struct db *db, const char *sha, const char *path, struct err *err)
{
    struct blob_row row;

    if (blobs_row(db->pg, sha, &row, err) != 0)
        return -1;
    if (!row.stored)
        return err_set(err, ERR_USAGE, "there is no artifact %s", sha);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return err_sys(err, "open %s", path);
    int rc = copy_out(db->pg, &row, file, path, err);
    if (fclose(file) != 0 && rc == 0)
        rc = err_sys(err, "write %s", path);
    if (rc != 0)
        remove(path);
    return rc;
}
