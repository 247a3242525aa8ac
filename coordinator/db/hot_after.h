#ifndef COORDINATOR_DB_HOT_AFTER_H
#define COORDINATOR_DB_HOT_AFTER_H

#include "coordinator/db/hot.h"

/* What follows from those of n ends that are done. ready: children whose parents all have
 * succeeded now; appended. */
MUST_CHECK int hot_after(struct pg *pg, const struct hot_success *ends, size_t n,
                         struct job_ready_list *ready, struct err *err);

#endif
