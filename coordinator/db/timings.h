#ifndef COORDINATOR_DB_TIMINGS_H
#define COORDINATOR_DB_TIMINGS_H

#include "coordinator/db/db.h"

/* [{"spec": job spec, "seconds": 12.5}, ...] of the last finished attempts, at most 300.
 * New reference. */
MUST_CHECK int db_timings(struct db *db, json_t **out, struct err *err);

#endif
