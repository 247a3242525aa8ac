#ifndef WORKER_ENGINE_PLAN_H
#define WORKER_ENGINE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/engine/net.h"

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
 * of each: they stay in cache. The arenas lie in the transient block, where nothing is at
 * that time.
 */
struct plan_buffer {
    int64_t size; /* floats of one image; 0: the buffer does not exist */
    bool kept;    /* lives until the next forward */
    bool apart;   /* transient, and used by nodes of the head alone */
    int from, to; /* transient: first and last moment at which it is needed */
    /* lies where this one lies, whose content nobody needs any more when it is written;
     * NULL: has memory of its own */
    const struct plan_buffer *host;
    int64_t offset; /* result, in the kept or in the transient block */
    int64_t arena;  /* result of what is apart, in the arena */
};

enum plan_direction { PLAN_FORWARD, PLAN_BACKWARD, PLAN_DIRECTIONS };

struct plan {
    /* one for each node of the graph; scratch: what it needs while it runs */
    struct plan_buffer *values, *grads, *scratch[PLAN_DIRECTIONS];
    /* scratch of any convolution that runs again, forward, before the backward pass
     * because evaluation has left its value out */
    struct plan_buffer *again;
    int64_t kept, transient; /* floats of one image in the two blocks */
    int64_t for_backward;    /* of the latter: of values that the backward pass reads */
    int64_t arena;           /* the same of what is apart */
    int64_t arenas_at[PLAN_DIRECTIONS]; /* where they begin */
};

struct plan_config {
    int64_t block;          /* channels that lie together in the backend's layout */
    int head;               /* nodes in it */
    bool gradients;         /* there is a backward pass, which reads values */
    enum net_keep keep;     /* values that are kept in any case */
    const int64_t *scratch; /* for each node, in floats of one image; NULL: none */
    int64_t images, apart;  /* in the transient block; in all arenas (of which there are
                               none if 0) */
};

/* Has the node no memory of its own, because its value is computed where it is read? Its
 * buffer is that of its first input. Without gradients only norms that no convolution
 * does. */
bool plan_is_lazy(const struct graph *g, int node, bool gradients, enum net_keep keep);

struct plan plan_make(const struct graph *g, const struct plan_config *config);
void plan_release(struct plan *p);

/* Places transient buffers: greedy by size, each at the lowest offset that is free during
 * its life. Returns the size of the block. Offsets are multiples of 16 floats. */
int64_t plan_place(struct plan_buffer *const *buffers, int n);

#endif
