#ifndef COORDINATOR_SWEEP_SKIP_H
#define COORDINATOR_SWEEP_SKIP_H

#include "coordinator/sweep/sweep.h"

/* When a stage is left out of a cell, by skip_when or only_when of the catalogue, as slots
 * and numbers. A value that is not written is the parameter's default. */
struct skip_test {
    int slot;         /* -1: there is no test */
    uint32_t number;  /* of the value; SPACE_ABSENT: no cell has it */
    bool when_absent; /* does it hold where the parameter is absent? */
};

struct skip {
    struct skip_test when; /* skipped where this holds */
    struct skip_test only; /* skipped where this does not */
};

/* One for each stage, after all values have been read; caller frees. */
struct skip *skip_read(const struct space *s);

/* row: an entry for each slot. */
bool skip_holds(const struct skip *s, const uint32_t *row);

/* The same for a cell, counted from the first one of the part. */
bool skip_cell(const struct skip *s, const struct sweep_part *p, size_t cell);

#endif
