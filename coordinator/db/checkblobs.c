/* checkblobs.c - the bytes of stored blobs, wherever they are. Read-only. */
#include "coordinator/db/checkblobs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/db/blobfile.h"
#include "coordinator/db/blobs.h"
#include "coordinator/db/handle.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { MAX_ROWS = 10 /* that are named */ };

static int
look_at_file(const struct blob_row *row, struct err *fault)
{
    int fd;

    if (row->folder[0] == '\0')
        return 0;
    if (blobfile_open(&fd, row->folder, row->sha, row->size, fault) != 0)
        return -1;
    close(fd);
    return 0;
}

static int
look_at_bytes(struct db *db, const struct blob_row *row, struct err *fault)
{
    struct sha256_stream *hash = sha256_stream_new();
    int rc = blobs_hash(db->pg, row, row->size, hash, fault);
    const struct sha256 got = sha256_stream_end(hash);
    if (rc == 0 && strcmp(got.hex, row->sha) != 0)
        rc = err_set(fault, ERR_DATA, "the bytes hash to %s", got.hex);
    return rc;
}

/* "blob <sha> of job 3, job 4: <why>". */
static int
add_fault(struct db *db, const struct blob_row *row, const struct err *fault,
          json_t *rows, struct err *err)
{
    struct pg_rows jobs;

    if (pg_query(
            db->pg, &jobs,
            "SELECT coalesce(' of ' || string_agg('job ' || job, ', ' ORDER BY job),"
            "  '') FROM (SELECT job FROM artifact WHERE blob = $1"
            "  UNION SELECT job FROM checkpoint_head WHERE blob = $1) x",
            PG_ARGS(PG_INT(row->id)), err)
        != 0)
        return -1;
    char *text =
        xasprintf("blob %s%s: %s", row->sha, pg_text_at(&jobs, 0, 0), fault->text);
    json_array_append_new(rows, json_string(text));
    free(text);
    pg_rows_release(&jobs);
    return 0;
}

/* A fault counts if the blob is still there when it was found. */
static int
look_at(struct db *db, const char *sha, bool deep, json_t *rows, int64_t *found,
        struct err *err)
{
    struct blob_row row, after;
    struct err fault;

    if (blobs_row(db->pg, sha, &row, err) != 0)
        return -1;
    if (!row.stored
        || (deep ? look_at_bytes(db, &row, &fault) : look_at_file(&row, &fault)) == 0)
        return 0;
    if (fault.kind == ERR_DB) {
        *err = fault;
        return -1;
    }
    if (blobs_row(db->pg, sha, &after, err) != 0)
        return -1;
    if (after.id != row.id)
        return 0;
    return ++*found <= MAX_ROWS ? add_fault(db, &row, &fault, rows, err) : 0;
}

int
checkblobs_look(struct db *db, bool deep, json_t *checks, int64_t *found,
                struct err *err)
{
    json_t *rows = json_array();
    struct pg_rows blobs;
    int64_t n = 0;
    int rc = pg_query(db->pg, &blobs,
                      deep ? "SELECT sha FROM blob WHERE stored ORDER BY id"
                           : "SELECT sha FROM blob WHERE stored AND folder IS NOT NULL"
                             " ORDER BY id",
                      PG_NONE, err);

    for (int i = 0; rc == 0 && i < blobs.n; i++)
        rc = look_at(db, pg_text_at(&blobs, i, 0), deep, rows, &n, err);
    pg_rows_release(&blobs);
    json_array_append_new(checks,
                          json_pack("{s:s, s:I, s:O}", "name",
                                    deep ? "stored bytes are those of their digest"
                                         : "files of blobs are there, with their size",
                                    "found", (json_int_t)n, "rows", rows));
    *found += n;
    json_decref(rows);
    return rc;
}
