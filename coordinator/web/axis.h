#ifndef COORDINATOR_WEB_AXIS_H
#define COORDINATOR_WEB_AXIS_H

#include "coordinator/web/mirror.h"

/* A parameter of a sweep's cells: which of its values each cell has. */
struct axis {
    char *name;
    size_t *codes;  /* of each cell, an index of `values` */
    json_t *values; /* texts, in the order in which they come */
    struct axis *next;
};

/* The axis of this name, read when it is asked for first; "": one value for all cells.
 * Borrowed until mirror_done. */
MUST_CHECK int axis_find(struct mirror_sweep *s, struct db *db, const char *name,
                         const struct axis **out, struct err *err);

void axis_free_all(struct axis *first);

#endif
