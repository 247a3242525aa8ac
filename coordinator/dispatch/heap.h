#ifndef COORDINATOR_DISPATCH_HEAP_H
#define COORDINATOR_DISPATCH_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/jobs.h"

/* Binary heap: the smallest (key, id) is on top. Initialise with {0}. */
struct heap_item {
    int64_t key, id;
    int64_t payload[3];
};

struct heap {
    struct heap_item *items;
    size_t n, capacity;
};

void heap_release(struct heap *h);
void heap_push(struct heap *h, struct heap_item item);

/* Removes the items whose id lies in one of the spans, which are ascending and do not
 * overlap. */
void heap_forget(struct heap *h, const struct job_span *spans, size_t n);

/* The top item, borrowed until the next change; NULL when empty. */
const struct heap_item *heap_top(const struct heap *h);

/* Removes and returns the top item; there must be one. */
struct heap_item heap_pop(struct heap *h);

#endif
