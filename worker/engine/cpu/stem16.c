/* stem16.c - the first convolution, to maps of block 16. */
#define LANES INT64_C(16)
#include "worker/engine/cpu/lanes.inc"

#include "worker/engine/cpu/stem_lanes.inc"

const struct stem_lanes stem16 = {forward, data, weights};
