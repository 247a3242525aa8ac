/* direct16.c - direct convolution on maps of block 16. */
#define LANES INT64_C(16)
#include "worker/engine/cpu/lanes.inc"

#include "worker/engine/cpu/direct_lanes.inc"
#include "worker/engine/cpu/direct_weights_lanes.inc"

const struct direct_lanes direct16 = {make, forward, data, weights};
