/* wino8.c - Winograd convolution on maps of block 8. */
#define LANES 8
#define NAME  wino8
#include "worker/engine/cpu/wino_lanes.inc"
