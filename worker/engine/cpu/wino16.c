/* wino16.c - Winograd convolution on maps of block 16. */
#define LANES INT64_C(16)
#include "worker/engine/cpu/lanes.inc"
#include "worker/engine/cpu/wino_product_lanes.inc"

#include "worker/engine/cpu/wino_lanes.inc"

#include "worker/engine/cpu/phases_lanes.inc"
#include "worker/engine/cpu/wino_strided_lanes.inc"
#include "worker/engine/cpu/wino_weights_lanes.inc"

#include "worker/engine/cpu/wino_strided_weights_lanes.inc"

const struct wino_lanes wino16[WINO_FORMS] = {
    [WINO_SAME] = {input, multiply, output, NULL},
    [WINO_HALVE] = {halve_input, multiply, halve_output, NULL},
    [WINO_DOUBLE] = {double_input, multiply, double_output, NULL},
};

const struct wino_weights_lanes wino_weights16[2] = {
    [WINO_SAME] = {WINO_POINTS, WINO_OUT, WINO_IN, same_input, same_gradient,
                   same_multiply, same_weights, NULL},
    [WINO_HALVE] = {STRIDED_POINTS, 2 * STRIDED_EVEN, TAPS, halve_weights_input,
                    halve_gradient, halve_multiply, halve_weights, NULL},
};
