/*
 * blobfolder.c - only writer of blob_folder, and reader of blob_gone, which a trigger
 * writes. Invariant: a file is deleted only when no row of blob names it, and while
 * nobody can make one that does (blobfolder_lock).
 */
#include "coordinator/db/blobfolder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "coordinator/db/blobfile.h"
#include "coordinator/db/blobs.h"
#include "coordinator/db/locks.h"
#include "shared/base/crash.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { CLEAR_AT_ONCE = 200, MARK_BYTES = 32 };

/* ---- the mark --------------------------------------------------------------------- */

#define MARK "relusweep-folder"
/* It has this name until its row is committed, so that a program that dies between leaves
 * no folder that belongs to nobody. */
#define MARK_DUE MARK ".due"

/* "" where the folder has none. */
static int
read_mark(struct buf *out, const char *folder, const char *name, struct err *err)
{
    char *path = file_join(folder, name);
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
    char *path = file_join(folder, MARK_DUE);
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

/* After the commit. Another program may have been faster. */
static int
keep_mark(const char *folder, struct err *err)
{
    char *due = file_join(folder, MARK_DUE), *mark = file_join(folder, MARK);
    int rc = 0;

    if (rename(due, mark) == 0)
        rc = file_sync_folder_of(mark, err);
    else if (errno != ENOENT)
        rc = err_sys(err, "rename %s", due);
    free(due);
    free(mark);
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

/* The row with this mark, wherever its folder was before; *id is 0 without one. */
static int
find_folder(struct pg *pg, const char *path, const char *mark, int64_t *id,
            struct err *err)
{
    return pg_number(pg, id, NULL, "SELECT id FROM blob_folder WHERE mark = $1",
                     PG_ARGS(PG_TEXT(mark)), err)
                       == 0
                   && pg_query(
                          pg, NULL,
                          "UPDATE blob_folder SET path = $2 WHERE id = $1 AND path <> $2",
                          PG_ARGS(PG_INT(*id), PG_TEXT(path)), err)
                          == 0
               ? 0
               : -1;
}

static int
join_marked(struct pg *pg, const char *path, const char *mark, int64_t *id,
            struct err *err)
{
    if (find_folder(pg, path, mark, id, err) != 0)
        return -1;
    return *id != 0 ? 0
                    : err_set(err, ERR_REFUSED,
                              "%s has the artifacts of another database (its file " MARK
                              " says so); choose an empty folder",
                              path);
}

/* A folder that nobody has finished joining yet. */
static int
join_unmarked(struct pg *pg, const char *path, int64_t *id, struct err *err)
{
    struct buf due = {0};
    int64_t known;
    int rc = read_mark(&due, path, MARK_DUE, err);

    *id = 0;
    if (rc == 0 && due.len > 0)
        rc = find_folder(pg, path, buf_str(&due), id, err);
    buf_release(&due);
    if (rc != 0 || *id != 0)
        return rc;
    if (pg_number(pg, &known, NULL, "SELECT id FROM blob_folder WHERE path = $1",
                  PG_ARGS(PG_TEXT(path)), err)
        != 0)
        return -1;
    return known == 0 ? insert_folder(pg, path, id, err)
                      : err_set(err, ERR_REFUSED,
                                "%s is not the folder of artifacts that the database "
                                "knows under this path (its file " MARK " is missing): "
                                "a coordinator on another machine needs the same "
                                "folder, shared for example by NFS",
                                path);
}

/* *due: the mark is to be kept after the commit, which has to reach the disk before. */
static int
join(struct pg *pg, const char *path, int64_t *id, bool *due, struct err *err)
{
    struct buf mark = {0};

    if (pg_script(pg, "SET LOCAL synchronous_commit = on", err) != 0
        || blobfolder_lock(pg, err) != 0 || read_mark(&mark, path, MARK, err) != 0)
        return -1;
    *due = mark.len == 0;
    const int rc = *due ? join_unmarked(pg, path, id, err)
                        : join_marked(pg, path, buf_str(&mark), id, err);
    buf_release(&mark);
    return rc;
}

int
blobfolder_join(struct pg *pg, const char *path, int64_t *id, struct err *err)
{
    bool due;

    if (file_make_dirs(path, err) != 0)
        return -1;
    if (pg_begin(pg, err) != 0 || join(pg, path, id, &due, err) != 0
        || pg_commit(pg, err) != 0) {
        pg_rollback(pg);
        return -1;
    }
    crash_point("folder-joined");
    return due ? keep_mark(path, err) : 0;
}

/* ---- visiting --------------------------------------------------------------------- */

/* Row: id, path, mark. */
static int
visit_row(struct pg *pg, const struct pg_rows *rows, int row, blobfolder_fn *fn,
          void *ctx, struct err *err)
{
    const char *path = pg_text_at(rows, row, 1);
    struct buf mark = {0};
    const int rc = read_mark(&mark, path, MARK, err);
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
