#ifndef COORDINATOR_SWEEP_EXPAND_H
#define COORDINATOR_SWEEP_EXPAND_H

#include "coordinator/sweep/bind.h"
#include "coordinator/sweep/sweep.h"

/*
 * The grid of one method as cells, appended to the sweep:
 *   1. the product of the axes in order of the file, the last one fastest; an axis
 *      whose condition does not hold is left out of the cell;
 *   2. exclude: a cell that agrees with all keys of an element is dropped;
 *   3. include: an element that agrees with cells on all its axes gives them its other
 *      keys; one that agrees with none becomes a cell of its own, on top of `fixed`.
 *      (As the matrix of GitHub's workflows; only cells of the grid are extended.)
 *   4. a cell with a preset gets the preset's values; one that the file gives another
 *      value is an error;
 *   5. parameters that only skipped stages read are taken out, and of cells that are
 *      equal then the first is kept.
 */
MUST_CHECK int expand_method(struct sweep *out, size_t *capacity,
                             const struct binding *b,
                             const struct bind_context *context,
                             const struct yaml_node *root, struct err *err);

#endif
