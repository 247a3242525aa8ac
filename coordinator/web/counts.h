#ifndef COORDINATOR_WEB_COUNTS_H
#define COORDINATOR_WEB_COUNTS_H

#include "coordinator/web/mirror.h"

/* Adds to a sweep's texts what its jobs come to: "cells", "jobs": {"ready": n, ...},
 * "hours". */
void counts_add(json_t *doc, const struct mirror *m, const struct mirror_sweep *s);

/* And "stages": [{"stage","states": {},"mean_s": null or of those that succeeded,
 * "n_ok"}] in the order of their first jobs, which is that of the chain. */
void counts_add_stages(json_t *doc, const struct mirror *m,
                       const struct mirror_sweep *s);

/* Jobs of the sweep in one of two states (twice the same: in one), the first `most`;
 * caller frees. */
int64_t *counts_in_state(const struct mirror *m, const struct mirror_sweep *s,
                         enum mirror_state a, enum mirror_state b, size_t most,
                         size_t *n);

#endif
