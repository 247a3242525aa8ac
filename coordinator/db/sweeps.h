#ifndef COORDINATOR_DB_SWEEPS_H
#define COORDINATOR_DB_SWEEPS_H

#include <stdbool.h>

#include "coordinator/db/db.h"
#include "coordinator/db/pg.h"

/* Tables sweep, cell_def, cell_form, sweep_span; steps of a transaction of the caller. */

/* The sweep's row and, when anything changed, its cells. ids: job numbers of the dag's
 * jobs. */
MUST_CHECK int sweeps_save(struct pg *pg, const struct sweep *s, const struct dag *d,
                           const int64_t *ids, int64_t *sweep, struct err *err);

/* Marks a whole sweep (0: all) as cancelled or wanted. */
MUST_CHECK int sweeps_mark_cancelled(struct pg *pg, int64_t sweep, bool cancelled,
                                     struct err *err);

/* Marks a whole sweep (0: all) as paused, and why; why NULL: it goes on. */
MUST_CHECK int sweeps_mark_paused(struct pg *pg, int64_t sweep, const char *why,
                                  struct err *err);

MUST_CHECK int sweeps_is_paused(struct pg *pg, int64_t sweep, bool *out,
                                struct err *err);

#endif
