#ifndef WORKER_ENGINE_CPU_WINO_H
#define WORKER_ENGINE_CPU_WINO_H

#include "worker/engine/cpu/conv_kernel.h"

/*
 * Winograd's minimal filtering F(4x4,3x3) for convolutions with 3x3 kernel, stride 1 and
 * padding 1 (Winograd 1980; Lavin and Gray 2016, eq. (8)): an output tile of 4x4 pixels
 * is A^T [ sum_c (G w G^T) . (B^T x B) ] A, 36 multiplications instead of 144. The sums
 * over channels are 36 matrix products; this is the seam between the algorithm (wino.c)
 * and the code for one number of lanes (wino_lanes.inc).
 *
 * The points of interpolation are 0, +-A, +-B and infinity. With A = 0.625, B = 1.5 the
 * result of 64 channels is off by 7e-7 (root mean square, relative), with the
 * popular 1 and 2 by 17e-7.
 */
#define WINO_A 0.625f
#define WINO_B 1.5f

enum { WINO_OUT = 4, WINO_IN = 6, WINO_POINTS = 36 };

/* One pass over maps of c channels, which are summed, to maps of k channels. */
struct wino_shape {
    int64_t c, k, h, w, block;
    int64_t c_lanes, k_lanes; /* padded */
    int64_t rows, columns;    /* tiles of an image */
};

/* Tiles that are computed together: whole rows of tiles of consecutive images.
 *   v[point] (tiles, c_lanes) = B^T x B      m[point] (tiles, k_lanes) = sum_c u v */
struct wino_chunk {
    float *v, *m;
    int64_t v_stride, m_stride; /* from point to point, in floats */
    float *columns;     /* (4 * columns + 2, 6, block): a row of tiles half done */
    const float *zeros; /* (w, block) */
    int64_t tiles;
};

/* Where results go. `after` may be NULL. */
struct wino_out {
    float *at;
    bool accumulate;
    const struct conv_after *after;
};

/* The stages, for one number of lanes. */
struct wino_lanes {
    /* v of the row of tiles `row` of the image x; the first tile is number `tile`. */
    void (*input)(const struct wino_chunk *chunk, int64_t tile, const float *x,
                  int64_t row, const struct wino_shape *s);
    /* m of all tiles. u: for each point, panels (c, 2 * block) of channels k, the last
     * of which may be half as wide. */
    void (*multiply)(const struct wino_chunk *chunk, const float *u,
                     const struct wino_shape *s);
    /* y = after(A^T m A) of a row of tiles; `out` is of its image. */
    void (*output)(const struct wino_out *out, const struct wino_chunk *chunk,
                   int64_t tile, int64_t row, const struct wino_shape *s);
};
extern const struct wino_lanes wino8, wino16;

#endif
