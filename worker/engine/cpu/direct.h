#ifndef WORKER_ENGINE_CPU_DIRECT_H
#define WORKER_ENGINE_CPU_DIRECT_H

#include "worker/engine/cpu/conv_kernel.h"

/*
 * Convolution as it is written down, with stride 2 and few channels: forward with a 1x1
 * kernel, data gradient with a 3x3 kernel, weight gradient with both. This is the seam
 * between shapes and weights (direct.c) and the code for one number of lanes
 * (direct_lanes.inc).
 */

/* Pixels of the smaller map that are computed together: at most, and otherwise. */
enum { DIRECT_MOST = 6, DIRECT_STRIP = 4 };

/* Pixels of dy over which a sum of weights stays in registers: few enough that what is
 * read for them stays in a near cache while it is read again for other sums. */
enum { DIRECT_PIXELS = 64 };

/* One image, but for the last. */
struct direct_lanes {
    /* to (blocks, h, w, block) = x that is not stored, the rows that are read */
    void (*make)(float *to, const struct map_value *x, const struct conv_shape *s);
    /* kernel 1x1; packed: panels of two blocks of k, the last maybe one: (c lanes,
     * block) */
    void (*forward)(const struct conv_out *y, const float *x, const float *packed,
                    const struct conv_shape *s);
    /* kernel 3x3; packed: for each block of c and row of the kernel (k lanes, 3,
     * block); patch: memory for what a strip at the right edge reads */
    void (*data)(const struct conv_out *dx, const float *dy, const float *packed,
                 const struct conv_shape *s, float *patch);
    /* partial += the gradient of some images, for each panel of k as above and block of
     * c: (row of the kernel, c lanes, column, k lanes of the panel) */
    void (*weights)(float *partial, const float *x, const float *dy, int64_t images,
                    const struct conv_shape *s);
};
extern const struct direct_lanes direct8, direct16;

#endif
