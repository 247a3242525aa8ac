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

static int
head_blob(struct pg *pg, int64_t job, int64_t *blob, struct err *err)
{
    return pg_number(pg, blob, NULL, "SELECT blob FROM checkpoint_head WHERE job = $1",
                     PG_ARGS(PG_INT(job)), err);
}

int
artifacts_move_checkpoint(struct pg *pg, int64_t job, int64_t attempt, int64_t step,
                          const char *sha, bool *done, struct err *err)
{
    int64_t blob, before;

    if (blobs_find(pg, sha, &blob, err) != 0 || head_blob(pg, job, &before, err) != 0)
        return -1;
    *done = blob != 0;
    if (!*done)
        return 0;
    if (pg_query(pg, NULL,
                 "INSERT INTO checkpoint_head (job, attempt, step, blob)"
                 " VALUES ($1, $2, $3, $4) ON CONFLICT (job) DO UPDATE"
                 " SET attempt = excluded.attempt, step = excluded.step,"
                 "  blob = excluded.blob, at = now()"
                 " WHERE (excluded.attempt, excluded.step)"
                 "  >= (checkpoint_head.attempt, checkpoint_head.step)",
                 PG_ARGS(PG_INT(job), PG_INT(attempt), PG_INT(step), PG_INT(blob)), err)
        != 0)
        return -1;
    return before == 0 || before == blob ? 0 : blobs_drop_unused(pg, before, err);
}

int
artifacts_drop_checkpoint(struct pg *pg, int64_t job, struct err *err)
{
    int64_t blob;

    if (head_blob(pg, job, &blob, err) != 0)
        return -1;
    if (blob == 0)
        return 0;
    if (pg_query(pg, NULL, "DELETE FROM checkpoint_head WHERE job = $1",
                 PG_ARGS(PG_INT(job)), err)
        != 0)
        return -1;
    return blobs_drop_unused(pg, blob, err);
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
