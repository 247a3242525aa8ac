#ifndef COORDINATOR_DISPATCH_NEEDS_H
#define COORDINATOR_DISPATCH_NEEDS_H

#include "coordinator/db/rules.h"

/* What a worker has. */
struct needs_worker {
    int64_t memory_bytes; /* of each of its jobs; 0: it did not say */
    int64_t threads;
    char labels[RULES_MAX_TEXT];
    char backend[32];
};

/* NULL when the worker has what jobs of the class need; else the name of the first
 * thing that is missing: "memory", "threads", "backend" or "labels". */
const char *needs_missing(const struct rules_class *c, const struct needs_worker *w);

#endif
