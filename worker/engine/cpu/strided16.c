/* strided16.c - stride 2 by phases on maps of block 16. */
#define LANES INT64_C(16)
#include "worker/engine/cpu/lanes.inc"

#include "worker/engine/cpu/phases_lanes.inc"
#include "worker/engine/cpu/strided_lanes.inc"

const struct strided_lanes strided16 = {input, multiply, output};
