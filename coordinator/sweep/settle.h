#ifndef COORDINATOR_SWEEP_SETTLE_H
#define COORDINATOR_SWEEP_SETTLE_H

#include "coordinator/sweep/expand.h"

/*
 * What the rows of a grid mean as cells, in place:
 *   1. a cell with a preset gets the preset's values; one that the file gives another
 *      value is an error;
 *   2. what is absent takes its default; where there is none, that is an error;
 *   3. parameters that only skipped stages read are taken out;
 *   4. of cells that are equal then the first is kept;
 *   5. each must keep the limits and needs of the catalogue.
 */
MUST_CHECK int settle_rows(struct rows *rows, const struct binding *b,
                           const struct bind_context *context,
                           const struct yaml_node *root, struct err *err);

#endif
