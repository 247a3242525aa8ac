#ifndef COORDINATOR_DB_METRICS_H
#define COORDINATOR_DB_METRICS_H

#include <stddef.h>

#include "coordinator/db/pg.h"
#include "shared/spec/metric.h"

/* Tables metric_key, metric, metric_final; steps of a transaction. */

/* Appends points of curves. */
MUST_CHECK int metrics_append(struct pg *pg, int64_t job, int64_t attempt, int64_t seq,
                              const struct metric *points, size_t n, struct err *err);

/* The final metrics of a job that succeeded. */
MUST_CHECK int metrics_finish(struct pg *pg, int64_t job, int64_t attempt,
                              const struct metric *finals, size_t n, struct err *err);

#endif
