/* stem8.c - the first convolution, to maps of block 8. */
#define LANES INT64_C(8)
#include "worker/engine/cpu/lanes.inc"

#include "worker/engine/cpu/stem_lanes.inc"

const struct stem_lanes stem8 = {forward, data, weights};
