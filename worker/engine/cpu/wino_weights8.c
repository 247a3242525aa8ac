/* wino_weights8.c - weight gradients by Winograd's method on maps of block 8. */
#define LANES 8
#define NAME  wino_weights8
#define INPUT wino8[WINO_SAME].input
#include "worker/engine/cpu/wino_weights_lanes.inc"
