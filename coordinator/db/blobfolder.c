/*
 * blobfolder.c - only writer of blob_folder, and reader of blob_gone, which a trigger
 * writes. Invariant: a file is deleted only when no row of blob names it, and while
 * nobody can make one that does (blobfolder_lock).
 */
#include "coordinator/db/blobfolder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "coordinator/db/blobfile.h"
#include "coordinator/db/blobs.h"
#include "coordinator/db/locks.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { CLEAR_AT_ONCE = 200, MARK_BYTES = 32 };

/* ---- the mark --------------------------------------------------------------------- */

static char *
mark_path(const char *folder)
{
    return file_join(folder, "relusweep-folder");
}

/* "" where the folder has none. */
static int
read_mark(struct buf *out, const char *folder, struct err *err)
{
    char *path = mark_path(folder);
    int rc = file_read(out, path, err);

    if (rc != 0 && err->kind == ERR_DATA)
        rc = 0;
    free(path);
    return rc;
}

static int
write_mark(char mark[SHA256_HEX + 1], const char *folder, struct err *err)
{
    unsigned char random[MARK_BYTES];
    char *path = mark_path(folder);
    int rc = -1;

    if (getrandom(random, sizeof random, 0) != sizeof random) {
        err_sys(err, "random bytes");
    } else {
        memcpy(mark, sha256_of_raw(random).hex, SHA256_HEX + 1);
        rc = file_write(path, mark, SHA256_HEX, err);
    }
    free(path);
    return rc;
}

/* ---- joining ---------------------------------------------------------------------- */

static int
insert_folder(struct pg *pg, const char *path, int64_t *id, struct err *err)
{
    char mark[SHA256_HEX + 1];

    return write_mark(mark, path, err) == 0
                   && pg_number(pg, id, NULL,
                                "INSERT INTO blob_folder (path, mark) VALUES ($1, $2)"
                                " RETURNING id",
                                PG_ARGS(PG_TEXT(path), PG_TEXT(mark)), err)
                          == 0
               ? 0
               : -1;
}

/* A folder with a mark: the row with it, wherever it was before. */
static int
find_folder(struct pg *pg, const char *path, const char *mark, int64_t *id,
            struct err *err)
{
    if (pg_number(pg, id, NULL, "SELECT id FROM blob_folder WHERE mark = $1",
                  PG_ARGS(PG_TEXT(mark)), err)
        != 0)
        return -1;
    if (*id == 0)
        return err_set(err, ERR_REFUSED,
                       "%s has the artifacts of another database (its file "
                       "relusweep-folder says so); choose an empty folder",
                       path);
    return pg_query(pg, NULL,
                    "UPDATE blob_folder SET path = $2 WHERE id = $1 AND path <> $2",
                    PG_ARGS(PG_INT(*id), PG_TEXT(path)), err);
}

int
blobfolder_join(struct pg *pg, const char *path, int64_t *id, struct err *err)
{
    struct buf mark = {0};
    int64_t known;

    if (file_make_dirs(path, err) != 0 || blobfolder_lock(pg, err) != 0
        || pg_number(pg, &known, NULL, "SELECT id FROM blob_folder WHERE path = $1",
                     PG_ARGS(PG_TEXT(path)), err)
               != 0
        || read_mark(&mark, path, err) != 0)
        return -1;
    int rc;
    if (mark.len > 0)
        rc = find_folder(pg, path, buf_str(&mark), id, err);
    else if (known == 0)
        rc = insert_folder(pg, path, id, err);
    else
        rc = err_set(err, ERR_REFUSED,
                     "%s is not the folder of artifacts that the database knows under "
                     "this path (its file relusweep-folder is missing): a coordinator "
                     "on another machine needs the same folder, shared for example by "
                     "NFS",
                     path);
    buf_release(&mark);
    return rc;
}

/* ---- visiting --------------------------------------------------------------------- */

/* Row: id, path, mark. */
static int
visit_row(struct pg *pg, const struct pg_rows *rows, int row, blobfolder_fn *fn,
          void *ctx, struct err *err)
{
    const char *path = pg_text_at(rows, row, 1);
    struct buf mark = {0};
    const int rc = read_mark(&mark, path, err);
    const bool here = rc == 0 && strcmp(buf_str(&mark), pg_text_at(rows, row, 2)) == 0;

    buf_release(&mark);
    return here ? fn(pg, pg_int_at(rows, row, 0), path, ctx, err) : rc;
}

int
blobfolder_each(struct pg *pg, bool with_gone, blobfolder_fn *fn, void *ctx,
                struct err *err)
{
    struct pg_rows rows;
    int rc = 0;

    if (pg_query(pg, &rows,
                 "SELECT id, path, mark FROM blob_folder f WHERE NOT $1::bool"
                 " OR EXISTS (SELECT FROM blob_gone g WHERE g.folder = f.id)",
                 PG_ARGS(PG_TEXT(with_gone ? "true" : "false")), err)
        != 0)
        return -1;
    for (int i = 0; rc == 0 && i < rows.n; i++)
        rc = visit_row(pg, &rows, i, fn, ctx, err);
    pg_rows_release(&rows);
    return rc;
}

/* ---- deleting --------------------------------------------------------------------- */

int
blobfolder_lock(struct pg *pg, struct err *err)
{
    return pg_query(pg, NULL, "SELECT pg_advisory_xact_lock($1::int, $2::int)",
                    PG_ARGS(PG_INT(LOCK_SPACE), PG_INT(LOCK_FILES)), err);
}

/* Row: sha, whether a blob has the name again. */
static int
clear_row(struct pg *pg, int64_t folder, const char *path, const struct pg_rows *rows,
          int row, struct err *err)
{
    const char *sha = pg_text_at(rows, row, 0);

    if (pg_int_at(rows, row, 1) == 0 && blobfile_drop(path, sha, err) != 0)
        return -1;
    return pg_query(pg, NULL, "DELETE FROM blob_gone WHERE folder = $1 AND sha = $2",
                    PG_ARGS(PG_INT(folder), PG_TEXT(sha)), err);
}

/* n: counts. */
static int
clear_folder(struct pg *pg, int64_t folder, const char *path, void *n, struct err *err)
{
    struct pg_rows rows;
    int rc = 0;

    if (pg_query(pg, &rows,
                 "SELECT g.sha, EXISTS (SELECT FROM blob b WHERE b.sha = g.sha"
                 "  AND b.folder = g.folder)::int FROM blob_gone g WHERE folder = $1"
                 " LIMIT $2",
                 PG_ARGS(PG_INT(folder), PG_INT(CLEAR_AT_ONCE)), err)
        != 0)
        return -1;
    for (int i = 0; rc == 0 && i < rows.n; i++)
        rc = clear_row(pg, folder, path, &rows, i, err);
    *(int64_t *)n += rows.n;
    pg_rows_release(&rows);
    return rc;
}

int
blobfolder_clear(struct pg *pg, int64_t *n, struct err *err)
{
    *n = 0;
    return blobfolder_lock(pg, err) == 0
               ? blobfolder_each(pg, true, clear_folder, n, err)
               : -1;
}
