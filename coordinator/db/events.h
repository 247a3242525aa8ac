#ifndef COORDINATOR_DB_EVENTS_H
#define COORDINATOR_DB_EVENTS_H

#include "coordinator/db/pg.h"

/* Table event: history for people. Steps of a transaction. */

/* job, attempt: 0 when it is not about one. */
MUST_CHECK int events_add(struct pg *pg, int64_t job, int64_t attempt, const char *kind,
                          const char *detail, struct err *err);

/* One event for each job of the temporary table `selection` that is not finished well. */
MUST_CHECK int events_add_selection(struct pg *pg, const char *kind, const char *detail,
                                    struct err *err);

#endif
