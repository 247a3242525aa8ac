/*
 * artifacts.c - only writer of artifact and checkpoint_head: what points at blobs. A
 * pointer is only made to a blob that is stored and verified.
 */
#include "coordinator/db/artifacts.h"

#include <stdio.h>
#include <stdlib.h>

#include "coordinator/db/blobs.h"
#include "shared/base/mem.h"

int
artifacts_add(struct pg *pg, int64_t job, int64_t attempt, const char *name,
              const char *sha, bool *done, struct err *err)
{
    int64_t blob;

    if (blobs_find(pg, sha, &blob, err) != 0)
        return -1;
    *done = blob != 0;
    if (!*done)
        return 0;
    return pg_query(pg, NULL,
                    "INSERT INTO artifact (job, attempt, name, blob)"
                    " VALUES ($1, $2, $3, $4) ON CONFLICT (job, name) DO UPDATE"
                    " SET attempt = excluded.attempt, blob = excluded.blob",
                    PG_ARGS(PG_INT(job), PG_INT(attempt), PG_TEXT(name), PG_INT(blob)),
                    err);
}

/* ---- checkpoints ------------------------------------------------------------------ */

/* Newest is what the job goes on from, of nothing where there is none. */
struct head {
    int64_t attempt, step, blob;
};

static int
read_newest(struct pg *pg, int64_t job, struct head *out, struct err *err)
{
    struct pg_rows rows;

    *out = (struct head){0};
    if (pg_query(pg, &rows,
                 "SELECT attempt, step, blob FROM checkpoint_head"
                 " WHERE job = $1 AND place = 0",
                 PG_ARGS(PG_INT(job)), err)
        != 0)
        return -1;
    if (rows.n > 0)
        *out = (struct head){.attempt = pg_int_at(&rows, 0, 0),
                             .step = pg_int_at(&rows, 0, 1),
                             .blob = pg_int_at(&rows, 0, 2)};
    pg_rows_release(&rows);
    return 0;
}

/* Deletes one of the places, and its blob where nobody else needs it. */
static int
drop_place(struct pg *pg, int64_t job, int64_t place, struct err *err)
{
    int64_t blob;

    if (pg_number(pg, &blob, NULL,
                  "DELETE FROM checkpoint_head WHERE job = $1 AND place = $2"
                  " RETURNING blob",
                  PG_ARGS(PG_INT(job), PG_INT(place)), err)
        != 0)
        return -1;
    return blob == 0 ? 0 : blobs_drop_unused(pg, blob, err);
}

static int
set_place(struct pg *pg, int64_t job, int64_t from, int64_t to, struct err *err)
{
    return pg_query(
        pg, NULL, "UPDATE checkpoint_head SET place = $3 WHERE job = $1 AND place = $2",
        PG_ARGS(PG_INT(job), PG_INT(from), PG_INT(to)), err);
}

static int
push_head(struct pg *pg, int64_t job, const struct head *h, struct err *err)
{
    if (drop_place(pg, job, 1, err) != 0 || set_place(pg, job, 0, 1, err) != 0)
        return -1;
    return pg_query(
        pg, NULL,
        "INSERT INTO checkpoint_head (job, attempt, step, blob) VALUES ($1, $2, $3, $4)",
        PG_ARGS(PG_INT(job), PG_INT(h->attempt), PG_INT(h->step), PG_INT(h->blob)),
        err);
}

/* The same bytes again, further on. */
static int
restamp_head(struct pg *pg, int64_t job, const struct head *h, struct err *err)
{
    return pg_query(pg, NULL,
                    "UPDATE checkpoint_head SET attempt = $2, step = $3, at = now()"
                    " WHERE job = $1 AND place = 0",
                    PG_ARGS(PG_INT(job), PG_INT(h->attempt), PG_INT(h->step)), err);
}

int
artifacts_move_checkpoint(struct pg *pg, int64_t job, int64_t attempt, int64_t step,
                          const char *sha, bool *done, struct err *err)
{
    struct head next = {.attempt = attempt, .step = step}, newest;

    if (blobs_find(pg, sha, &next.blob, err) != 0
        || read_newest(pg, job, &newest, err) != 0)
        return -1;
    *done = next.blob != 0;
    if (!*done || attempt < newest.attempt
        || (attempt == newest.attempt && step < newest.step))
        return 0;
    return next.blob == newest.blob ? restamp_head(pg, job, &next, err)
                                    : push_head(pg, job, &next, err);
}

int
artifacts_fall_back(struct pg *pg, int64_t job, int64_t attempt,
                    struct artifact_fall *out, struct err *err)
{
    struct head newest;

    *out = (struct artifact_fall){0};
    if (read_newest(pg, job, &newest, err) != 0)
        return -1;
    if (newest.blob == 0 || newest.attempt >= attempt)
        return 0;
    if (drop_place(pg, job, 0, err) != 0 || set_place(pg, job, 1, 0, err) != 0)
        return -1;
    *out = (struct artifact_fall){.done = true, .from_step = newest.step};
    if (read_newest(pg, job, &newest, err) != 0)
        return -1;
    out->to_step = newest.step;
    return 0;
}

int
artifacts_drop_checkpoint(struct pg *pg, int64_t job, struct err *err)
{
    return drop_place(pg, job, 0, err) == 0 ? drop_place(pg, job, 1, err) : -1;
}

void
artifacts_inputs_release(struct artifact_inputs *in)
{
    for (size_t i = 0; i < in->n; i++) {
        free(in->items[i].stage);
        free(in->items[i].name);
    }
    free(in->items);
    *in = (struct artifact_inputs){0};
}
