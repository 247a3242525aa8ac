/* wino8.c - Winograd convolution on maps of block 8. */
#define LANES 8
#include "worker/engine/cpu/lanes.inc"
#include "worker/engine/cpu/wino_lanes.inc"

#include "worker/engine/cpu/strided_lanes.inc"

const struct wino_lanes wino8[WINO_FORMS] = {
    [WINO_SAME] = {input, multiply, output},
    [WINO_HALVE] = {halve_input, multiply, halve_output},
    [WINO_DOUBLE] = {double_input, multiply, double_output},
};
