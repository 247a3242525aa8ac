#ifndef COORDINATOR_DB_WHY_H
#define COORDINATOR_DB_WHY_H

#include "coordinator/db/pg.h"

/* A sentence on why a job is in its state and what has to happen, as a JSON string. */
MUST_CHECK int why_find(struct pg *pg, int64_t job, json_t **out, struct err *err);

#endif
