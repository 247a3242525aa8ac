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

int
artifacts_checkpoint(struct pg *pg, int64_t job, struct artifact_checkpoint *out,
                     struct err *err)
{
    struct pg_rows rows;

    *out = (struct artifact_checkpoint){0};
    if (pg_query(pg, &rows,
                 "SELECT b.sha, b.size, c.step FROM checkpoint_head c"
                 " JOIN blob b ON b.id = c.blob WHERE c.job = $1",
                 PG_ARGS(PG_INT(job)), err)
        != 0)
        return -1;
    if (rows.n > 0) {
        snprintf(out->sha, sizeof out->sha, "%s", pg_text_at(&rows, 0, 0));
        out->size = pg_int_at(&rows, 0, 1);
        out->step = pg_int_at(&rows, 0, 2);
    }
    pg_rows_release(&rows);
    return 0;
}

int
artifacts_inputs(struct pg *pg, int64_t job, struct artifact_inputs *out,
                 struct err *err)
{
    struct pg_rows rows;

    if (pg_query(pg, &rows,
                 "SELECT d.input, a.name, b.sha, b.size FROM job_dep d"
                 " JOIN artifact a ON a.job = d.parent AND a.name = 'model'"
                 " JOIN blob b ON b.id = a.blob WHERE d.child = $1 ORDER BY d.input",
                 PG_ARGS(PG_INT(job)), err)
        != 0)
        return -1;
    out->items =
        xgrow(out->items, &out->capacity, out->n + (size_t)rows.n, sizeof *out->items);
    for (int i = 0; i < rows.n; i++) {
        struct artifact_input *in = &out->items[out->n++];
        in->stage = xstrdup(pg_text_at(&rows, i, 0));
        in->name = xstrdup(pg_text_at(&rows, i, 1));
        snprintf(in->sha, sizeof in->sha, "%s", pg_text_at(&rows, i, 2));
        in->size = pg_int_at(&rows, i, 3);
    }
    pg_rows_release(&rows);
    return 0;
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
