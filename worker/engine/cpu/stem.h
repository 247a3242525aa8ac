#ifndef WORKER_ENGINE_CPU_STEM_H
#define WORKER_ENGINE_CPU_STEM_H

#include "worker/engine/cpu/conv_kernel.h"

/*
 * The first convolution of a network. This is the seam between shapes and weights (stem.c)
 * and the code for one number of lanes (stem_lanes.inc).
 */

enum {
    STEM_TAPS = 9,
    STEM_STRIP = 32 /* pixels of dx that are computed together */
};

/* Floats of a turned row of one channel of dy: its pixels, with zeros on either side as
 * far as strips read. */
static inline int64_t
stem_turned_width(const struct conv_shape *s)
{
    return (s->w + STEM_STRIP - 1) / STEM_STRIP * STEM_STRIP + 2;
}

/* One image. Padded x: (c, h + 2, w + 2) with zeros around. */
struct stem_lanes {
    /* y = after(conv(x)), x padded; packed: (blocks of k, c, 3, 3, block) */
    void (*forward)(const struct conv_out *y, const float *x, const float *packed,
                    const struct conv_shape *s);
    /* dx (c,h,w) = or += the gradient; packed: (k, 3, 3, c); three: memory for turned
     * rows of all channels of dy */
    void (*data)(float *dx, bool accumulate, const float *dy, const float *packed,
                 const struct conv_shape *s, float *three);
    /* partial += the gradient, x padded, in the order of packed weights */
    void (*weights)(float *partial, const float *x, const float *dy,
                    const struct conv_shape *s);
};
extern const struct stem_lanes stem8, stem16;

#endif
