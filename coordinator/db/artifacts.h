#ifndef COORDINATOR_DB_ARTIFACTS_H
#define COORDINATOR_DB_ARTIFACTS_H

#include <stdbool.h>

#include "coordinator/db/pg.h"

/* Tables artifact and checkpoint_head; steps of a transaction. */

/* Binds a stored blob to a job. *done: false when the blob is not stored. */
MUST_CHECK int artifacts_add(struct pg *pg, int64_t job, int64_t attempt,
                             const char *name, const char *sha, bool *done,
                             struct err *err);

/* The newest checkpoint of a job; the one that was it stays behind it, and that before is
 * dropped, with its blob when nobody else needs it. One that is older than the newest
 * counts for nothing. *done: false when the blob is not stored. */
MUST_CHECK int artifacts_move_checkpoint(struct pg *pg, int64_t job, int64_t attempt,
                                         int64_t step, const char *sha, bool *done,
                                         struct err *err);

/* The newest checkpoint cannot be used, says an attempt that did not write it: the one
 * before it, if there is one, is the newest. */
struct artifact_fall {
    bool done; /* false: there was none that the attempt could have been given */
    int64_t from_step, to_step; /* to_step 0: from the beginning */
};
MUST_CHECK int artifacts_fall_back(struct pg *pg, int64_t job, int64_t attempt,
                                   struct artifact_fall *out, struct err *err);

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
