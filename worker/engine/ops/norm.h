#ifndef WORKER_ENGINE_OPS_NORM_H
#define WORKER_ENGINE_OPS_NORM_H

#include "worker/engine/ops/op.h"

/* The mask of a norm node with GRAPH_RELU: (C,H,W) bytes, 1 ReLU, 0 identity. */
void norm_set_mask(struct op_site *s, const uint8_t *mask);
void norm_get_mask(const struct op_site *s, uint8_t *mask);

/* Statistics of these slices of x, in training. For the convolution that has just made
 * them: they are still in a cache. */
void norm_take_statistics(const struct op_site *s, const struct op_slice *slices,
                          int thread);

#endif
