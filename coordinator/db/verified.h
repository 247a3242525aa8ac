#ifndef COORDINATOR_DB_VERIFIED_H
#define COORDINATOR_DB_VERIFIED_H

#include "coordinator/db/db.h"
#include "coordinator/db/pg.h"

/*
 * The re-runs of a sweep (`verify`) beside what they do again:
 * [{"job", "repeat": numbers of both, "stage", "done": both have succeeded,
 *   "metrics": final metrics compared, "equal": of them, the same bits,
 *   "near": of them, the same bits or within "tolerance" of the larger one,
 *   "foreign": with other kernels or another instruction set, which may round in another
 *   way, "workers": [names of the two], "hosts": [...],
 *   "worst": {"name", "values": [a, b]} of those that differ, or null}], ordered by job.
 * Times and speeds are not compared. Read-only. New reference.
 */
MUST_CHECK int db_verified(struct db *db, int64_t sweep, json_t **out, struct err *err);

/* Re-runs come directly after what they do again: they are granted while that runs, and
 * so to another worker, if there is one. A step of a submit; ids: of the dag's jobs. */
MUST_CHECK int verified_place(struct pg *pg, const struct dag *d, const int64_t *ids,
                              struct err *err);

#endif
