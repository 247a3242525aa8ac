#ifndef WORKER_ENGINE_CPU_STRIDED_H
#define WORKER_ENGINE_CPU_STRIDED_H

#include "worker/engine/cpu/conv_kernel.h"
#include "worker/engine/cpu/phases.h"

/*
 * Forward convolution with 3x3 kernel, padding 1 and stride 2 of few channels, by phases:
 * F(4,2) of phases.h over the rows of a tile of 4x4 pixels of y, and over its columns
 * F(2,2), which needs no more than differences of pixels. Of two pixels of y, with columns
 * o0, e0, o1, e1, o2 of x,
 *
 *   y0 = (o0 - o1) w0 + e0 w1 + o1 (w0 + w2)
 *   y1 = (o2 - o1) w2 + e1 w1 + o1 (w0 + w2)
 *
 * so that the products of a point are three sums for two pixels, which stay in registers
 * over all channels. Together 90 multiplications for 16 pixels instead of 144.
 *
 * This is the seam between shapes and weights (strided.c) and the code for one number of
 * lanes (strided_lanes.inc).
 */
enum {
    STRIDED_TILE = 4,   /* pixels of y in each direction */
    STRIDED_VALUES = 10 /* of a row of a tile, five for two pixels */
};

struct strided_shape {
    int64_t c, k, h, w, p, q, block;
    int64_t c_lanes, k_lanes; /* padded */
    int64_t columns;          /* tiles of a row */
};

/* A row of tiles of an image at STRIDED_TAPS points: its values, then their products. */
struct strided_row {
    float *v; /* of each point (columns, blocks of c, STRIDED_VALUES, block) */
    float *m; /* of each point (columns, blocks of k, STRIDED_TILE, block) */
    int64_t v_stride, m_stride; /* from point to point, in floats */
    const float *zeros;         /* a row of pixels as wide as the tiles */
    float *made; /* (STRIDED_TAPS, as wide, block): rows that do not lie in the map */
};

enum { STRIDED_LINE = 16 /* floats of a cache line */ };

/* The stages of a row of tiles; i: its first row of y. */
struct strided_lanes {
    /* v = the values of the image x */
    void (*input)(const struct strided_row *row, const struct map_value *x, int64_t i,
                  const struct strided_shape *s);
    /* m = v u; u: of each of STRIDED_WEIGHTS, panels of two blocks of k, the last maybe
     * one: (c_lanes, 3, block) */
    void (*multiply)(const struct strided_row *row, const float *u,
                     const struct strided_shape *s);
    /* y = after(A^T m); `out` is of its image */
    void (*output)(const struct conv_out *out, const struct strided_row *row, int64_t i,
                   const struct strided_shape *s);
};
extern const struct strided_lanes strided8, strided16;

#endif
