#ifndef COORDINATOR_WEB_MEASURES_H
#define COORDINATOR_WEB_MEASURES_H

#include "coordinator/web/mirror.h"

/*
 * Final metrics of a sweep's cells: read once for each cell, when its chain is done. Which
 * ones is what the sweep's report draws: its x, its y, and how many ReLUs are kept.
 */
enum { MEASURES_MOST = 16 };
struct measures {
    char *names[MEASURES_MOST], *units[MEASURES_MOST], *goals[MEASURES_MOST];
    size_t n;
    double *values;  /* [cell][n], NaN where there is none */
    bool *is_read;   /* of each cell */
    size_t *group;   /* of each cell: those that differ only in what is averaged over */
    size_t *example; /* of each group, its first cell */
    size_t n_groups;
    json_t *params; /* of each group: [{"params"}] */
};

/* Brought to the moment of the mirror. report: {"x", "y", ...} of the sweep. Borrowed,
 * lives as long as the sweep. */
MUST_CHECK int measures_find(struct mirror *m, struct mirror_sweep *s, struct db *db,
                             const json_t *report, const struct measures **out,
                             struct err *err);

/* Number of a metric, -1: it is not among them. */
int measures_index(const struct measures *v, const char *name);

void measures_free(struct measures *v); /* accepts NULL */

#endif
