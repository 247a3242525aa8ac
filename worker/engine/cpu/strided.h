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
 * lanes (strided_rows_lanes.inc).
 */
enum {
    STRIDED_TILE = 4,    /* pixels of y in each direction */
    STRIDED_VALUES = 10, /* of a row of a tile, five for two pixels */
    STRIDED_COLUMNS = 4  /* weights of a row of the kernel: w0, w1, w0 + w2, w2 */
};

struct strided_shape {
    int64_t c, k, h, w, p, q, block;
    int64_t c_lanes, k_lanes; /* padded */
    int64_t rows, columns;    /* tiles of an image */
};

/* Tiles that are computed together: whole rows of tiles of consecutive images. */
struct strided_chunk {
    float *
        v; /* of each of STRIDED_TAPS points (tiles, blocks of c, STRIDED_VALUES, block) */
    float
        *m; /* of each of STRIDED_ODD points (tiles, blocks of k, STRIDED_TILE, block);
                 then rows of y without the even pixels */
    int64_t v_stride, m_stride; /* from point to point, in floats */
    const float *zeros;         /* (w, block) */
    float *made;                /* (STRIDED_TAPS, w, block): rows that are not stored */
    int64_t tiles;
};

/* The stages, one after the other. `tile` is the first one of a row of tiles, `row` is
 * which one of its image.
 * u: of each of STRIDED_WEIGHTS, panels of two blocks of k, the last maybe one:
 * (c_lanes, STRIDED_COLUMNS, block) */
struct strided_lanes {
    /* v of a row of tiles of the image x */
    void (*input)(const struct strided_chunk *chunk, int64_t tile,
                  const struct map_value *x, int64_t row,
                  const struct strided_shape *s);
    /* m of all tiles: what the odd rows of x give to y */
    void (*odd)(const struct strided_chunk *chunk, const float *u,
                const struct strided_shape *s);
    /* y = after(m + what the even rows give) of a row of tiles; u: of the even rows;
     * `out` is of its image */
    void (*even)(const struct conv_out *out, const struct strided_chunk *chunk,
                 int64_t tile, int64_t row, const float *u,
                 const struct strided_shape *s);
};
extern const struct strided_lanes strided8, strided16;

#endif
