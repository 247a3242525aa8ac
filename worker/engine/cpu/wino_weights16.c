/* wino_weights16.c - weight gradients by Winograd's method on maps of block 16. */
#define LANES 16
#define NAME  wino_weights16
#define INPUT wino16[WINO_SAME].input
#include "worker/engine/cpu/wino_weights_lanes.inc"
