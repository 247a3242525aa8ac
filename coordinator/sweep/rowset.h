#ifndef COORDINATOR_SWEEP_ROWSET_H
#define COORDINATOR_SWEEP_ROWSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finds rows that are equal: a hash table of numbers of rows, which the caller keeps
 * wherever it likes. Initialise with {0}.
 */
struct rowset {
    struct rowset_bucket *buckets;
    size_t n, n_buckets; /* n_buckets: 0 or a power of two */
};

/* Is the row of this number the one that is looked for? */
typedef bool (*rowset_same_fn)(const void *ctx, uint32_t row);

/* Number of the row with this hash that is the same; where there is none, `fresh`, which
 * is remembered. */
uint32_t rowset_add(struct rowset *set, uint64_t hash, uint32_t fresh,
                    rowset_same_fn same, const void *ctx);
void rowset_release(struct rowset *set);

/* Hashing: start, then one word after the other. */
#define ROWSET_HASH 0x9e3779b97f4a7c15u
static inline uint64_t
rowset_hash(uint64_t hash, uint32_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    return hash ^ (hash >> 32);
}

#endif
