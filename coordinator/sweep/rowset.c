/*
 * rowset.c - an open hash table of row numbers with a piece of their hashes, so that
 * growing and most misses do not look at the rows. At most half full.
 */
#include "coordinator/sweep/rowset.h"

#include <stdlib.h>

#include "shared/base/mem.h"

enum { FIRST_BUCKETS = 64 };

struct rowset_bucket {
    uint32_t tag; /* lower half of the hash */
    uint32_t row; /* number + 1, 0: free */
};

static void
put(struct rowset *set, struct rowset_bucket b)
{
    size_t at = b.tag & (set->n_buckets - 1);

    while (set->buckets[at].row != 0)
        at = (at + 1) & (set->n_buckets - 1);
    set->buckets[at] = b;
}

static void
grow(struct rowset *set)
{
    const struct rowset old = *set;

    set->n_buckets = old.n_buckets > 0 ? 4 * old.n_buckets : FIRST_BUCKETS;
    set->buckets = xcalloc(set->n_buckets, sizeof *set->buckets);
    for (size_t i = 0; i < old.n_buckets; i++)
        if (old.buckets[i].row != 0)
            put(set, old.buckets[i]);
    free(old.buckets);
}

uint32_t
rowset_add(struct rowset *set, uint64_t hash, uint32_t fresh, rowset_same_fn same,
           const void *ctx)
{
    const uint32_t tag = (uint32_t)hash;

    if (2 * (set->n + 1) > set->n_buckets)
        grow(set);
    size_t at = tag & (set->n_buckets - 1);
    for (; set->buckets[at].row != 0; at = (at + 1) & (set->n_buckets - 1))
        if (set->buckets[at].tag == tag && same(ctx, set->buckets[at].row - 1))
            return set->buckets[at].row - 1;
    set->buckets[at] = (struct rowset_bucket){tag, fresh + 1};
    set->n++;
    return fresh;
}

void
rowset_release(struct rowset *set)
{
    free(set->buckets);
    *set = (struct rowset){0};
}
