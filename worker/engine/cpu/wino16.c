/* wino16.c - Winograd convolution on maps of block 16. */
#define LANES 16
#define NAME  wino16
#include "worker/engine/cpu/wino_lanes.inc"
