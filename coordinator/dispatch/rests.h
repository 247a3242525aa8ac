#ifndef COORDINATOR_DISPATCH_RESTS_H
#define COORDINATOR_DISPATCH_RESTS_H

#include "coordinator/db/rules.h"

/* Machines that get no jobs for a while, by our clock. Pure. Initialise with {0}. */
struct rests {
    struct rules_rest *items; /* wait_ms is when it has rested */
    size_t n;
};

void rests_release(struct rests *r);

/* These machines rest, and no others. */
void rests_set(struct rests *r, const struct rules *rules, int64_t now_ms);

/* When the machine has rested, 0: it does not rest. */
int64_t rests_until(const struct rests *r, const char *host, int64_t now_ms);

#endif
