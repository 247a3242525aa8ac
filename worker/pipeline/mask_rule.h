#ifndef WORKER_PIPELINE_MASK_RULE_H
#define WORKER_PIPELINE_MASK_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/engine/graph.h"
#include "worker/engine/rng.h"

/* How masks are made (methods.md 4.3). mask: (C,H,W) bytes, 1 = ReLU. */

/* Every place of an HxW map with probability k / (C*H*W), the same for all channels:
 * the released code's first mask, which has about k ones. */
void mask_rule_pattern(uint8_t *mask, struct graph_shape shape, int64_t k,
                       struct rng *rng);

/* Exactly k ones at random places of n: the paper's first mask. */
void mask_rule_random(uint8_t *mask, int64_t n, int64_t k, struct rng *rng);

/* Ones at the k largest of n scores; of equal ones, at the lowest places. strict: only
 * at scores above the k-th largest, as released: k-1 ones where none are equal. */
void mask_rule_top(uint8_t *mask, const float *score, int64_t n, int64_t k,
                   bool strict);

#endif
