#ifndef COORDINATOR_DISPATCH_IDMAP_H
#define COORDINATOR_DISPATCH_IDMAP_H

#include <stddef.h>
#include <stdint.h>

/* Hash map from a number (> 0) to a pointer that the caller owns. Initialise with {0}. */
struct idmap {
    int64_t *keys; /* 0: free */
    void **values;
    size_t n, capacity;
};

void idmap_release(struct idmap *m);
void *idmap_find(const struct idmap *m, int64_t key); /* NULL: not there */
void idmap_put(struct idmap *m, int64_t key, void *value);
void *idmap_take(struct idmap *m, int64_t key); /* removes it; NULL: not there */

/* All values in no order: start with *at = 0; NULL at the end. The map must not change
 * meanwhile. */
void *idmap_next(const struct idmap *m, size_t *at);

/* A key for other things than numbers, above 0: FNV-1a. Different things may share one. */
int64_t idmap_hash(const void *data, size_t size);

#endif
