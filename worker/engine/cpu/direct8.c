/* direct8.c - direct convolution on maps of block 8. */
#define LANES INT64_C(8)
#include "worker/engine/cpu/lanes.inc"

#include "worker/engine/cpu/direct_lanes.inc"
#include "worker/engine/cpu/direct_weights_lanes.inc"

const struct direct_lanes direct8 = {make, forward, data, weights};
