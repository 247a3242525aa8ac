#ifndef WORKER_PIPELINE_SNAPSHOT_H
#define WORKER_PIPELINE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/net.h"

/* A copy of a network's parameters, running statistics and masks: the best so far. */
struct snapshot {
    bool taken;
    float *values;  /* all parameters, one after the other, in net_params order */
    uint8_t *masks; /* all masks, in order */
    size_t n_values, n_masks;
};

/* Makes room for a copy of `n`. */
MUST_CHECK int snapshot_init(struct snapshot *s, struct net *n, struct err *err);
void snapshot_release(struct snapshot *s);

void snapshot_take(struct snapshot *s, struct net *n);

/* All masks of a network, graph_relus bytes, and back. */
void snapshot_get_masks(uint8_t *masks, struct net *n);
void snapshot_set_masks(struct net *n, const uint8_t *masks);

/* Puts the copy back. It must have been taken of a network of the same graph. */
void snapshot_restore(struct net *n, const struct snapshot *s);

#endif
