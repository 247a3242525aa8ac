#ifndef COORDINATOR_DB_SPREAD_H
#define COORDINATOR_DB_SPREAD_H

#include <stddef.h>
#include <stdint.h>

/* Places 0..n-1 in an order that is coarse first: both ends, the middle, the middles of
 * the halves, and so on. turn[i]: when place i has its turn, from 0. Pure. */
void spread_turns(int64_t *turn, size_t n);

#endif
