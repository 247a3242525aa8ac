#ifndef COORDINATOR_DB_ARTIFACTS_H
#define COORDINATOR_DB_ARTIFACTS_H

#include <stdbool.h>

#include "coordinator/db/pg.h"

/* Tables artifact and checkpoint_head; steps of a transaction. */

/* Binds a stored blob to a job. *done: false when the blob is not stored. */
MUST_CHECK int artifacts_add(struct pg *pg, int64_t job, int64_t attempt,
                             const char *name, const char *sha, bool *done,
                             struct err *err);

/* Moves the checkpoint pointer of a job; the blob that it leaves is dropped when nobody
 * else needs it. *done: false when the blob is not stored. */
MUST_CHECK int artifacts_move_checkpoint(struct pg *pg, int64_t job, int64_t attempt,
                                         int64_t step, const char *sha, bool *done,
                                         struct err *err);

/* A job that is finished needs no checkpoint. */
MUST_CHECK int artifacts_drop_checkpoint(struct pg *pg, int64_t job, struct err *err);

/* What a new attempt starts from; hot.h loads it with the lease. */
struct artifact_checkpoint {
    char sha[65]; /* "": from the beginning */
    int64_t size, step;
};

/* An artifact of a parent that a stage reads (those called "model"). */
struct artifact_input {
    char *stage, *name; /* of the parent */
    char sha[65];
    int64_t size;
};
struct artifact_inputs {
    struct artifact_input *items;
    size_t n, capacity;
};

void artifacts_inputs_release(struct artifact_inputs *in);

#endif
