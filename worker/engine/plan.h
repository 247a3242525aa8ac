#ifndef WORKER_ENGINE_PLAN_H
#define WORKER_ENGINE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/engine/graph.h"

/*
 * Where the values and gradients of a net lie. All sizes and offsets count floats for one
 * image, so that one plan serves every number of images: a buffer of a block that holds
 * N images starts at offset * N.
 *
 * Time runs from 0 (forward of node 0) to n-1 (forward of the last node), then backward
 * from n (last node) to 2n-1 (node 0). A transient buffer shares memory with those that
 * are never needed at the same time.
 *
 * In passes that go depth first through the head of the graph, a slice at a time, the
 * buffers that only nodes of the head use lie in an arena of the thread instead, a slice
 * of each: they stay in cache.
 */
struct plan_buffer {
    int64_t size;   /* floats of one image; 0: the buffer does not exist */
    bool kept;      /* lives until the next forward */
    bool apart;     /* transient, and used by nodes of the head alone */
    int from, to;   /* transient: first and last moment at which it is needed */
    int64_t offset; /* result, in the kept or in the transient block */
};

struct plan {
    struct plan_buffer *values, *grads; /* one for each node of the graph */
    int64_t kept, transient;            /* floats of one image in the two blocks */
    int64_t arena;                      /* the same of what is apart */
};

/* What a net is for, and with it which values are kept. */
enum plan_use {
    PLAN_TRAINING, /* all values */
    PLAN_EVALUATION, /* masked activations, group outputs, logits; there are no gradients */
    PLAN_GROUPS,     /* group outputs, logits */
    PLAN_LOGITS,     /* logits */
};

/* block: channels that lie together in the backend's layout; head: its nodes. */
struct plan plan_make(const struct graph *g, int64_t block, int head,
                      enum plan_use use);
void plan_release(struct plan *p);

/* Places transient buffers: greedy by size, each at the lowest offset that is free during
 * its life. Returns the size of the block. Offsets are multiples of 16 floats. */
int64_t plan_place(struct plan_buffer *const *buffers, int n);

#endif
