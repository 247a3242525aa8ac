#ifndef COORDINATOR_SWEEP_EXPAND_H
#define COORDINATOR_SWEEP_EXPAND_H

#include "coordinator/sweep/bind.h"
#include "coordinator/sweep/sweep.h"

/*
 * The grid of one method as rows, an entry (sweep.h) for each slot of the space:
 *   1. the product of the axes in order of the file, the last one fastest; an axis
 *      whose condition does not hold is left out of the cell;
 *   2. exclude: a cell that agrees with all keys of an element is dropped;
 *   3. include: an element that agrees with cells on all its axes gives them its other
 *      keys; one that agrees with none becomes a cell of its own, on top of `fixed`.
 *      (As the matrix of GitHub's workflows; only cells of the grid are extended.)
 * What a cell then means is settle.h's.
 */
struct rows {
    uint32_t *items; /* n times the slots of the space; from malloc */
    size_t n, capacity;
};

MUST_CHECK int expand_method(struct rows *out, const struct binding *b,
                             const struct bind_context *context, struct err *err);

#endif
