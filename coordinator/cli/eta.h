#ifndef COORDINATOR_CLI_ETA_H
#define COORDINATOR_CLI_ETA_H

#include "coordinator/cli/estimate.h"
#include "shared/base/buf.h"

/* When a whole sweep will be done, as a range of seconds from now. */
struct eta {
    bool known;
    double low_s, high_s;
};

/*
 * `outlook` of db_outlook; `running`: the array of db_status, whose jobs know how long
 * they need; `slots`: jobs at once, of all workers. `e`: for stages of which none has
 * finished in this sweep; NULL: without. Not known while a stage that is to come has no
 * estimate, or without slots. Pure.
 *
 * List scheduling on P machines ends between W/P (or the longest chain C, whichever is
 * longer) and W/P + (1 - 1/P) C (Graham 1969, "Bounds on multiprocessing timing
 * anomalies", theorem 1). Both ends move by how uncertain the stages' means are.
 */
struct eta eta_of(const json_t *outlook, const json_t *running, int64_t slots,
                  struct estimate *e);

/* "3 to 5 min", "about 2 h", "up to 10 s". Must be known. */
void eta_put(struct buf *out, const struct eta *eta);

#endif
