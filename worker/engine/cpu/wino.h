#ifndef WORKER_ENGINE_CPU_WINO_H
#define WORKER_ENGINE_CPU_WINO_H

#include "worker/engine/cpu/conv_kernel.h"
#include "worker/engine/cpu/phases.h"

/*
 * Winograd's minimal filtering for convolutions with 3x3 kernel and padding 1 (Winograd
 * 1980; Lavin and Gray 2016, eq. (8)): a tile of pixels is
 *
 *   y = A^T [ sum_c (G w G^T) . (B^T x B) ] A
 *
 * where . multiplies point by point. The sums over channels are one matrix product for
 * each point; this is the seam between the algorithm (wino.c) and the code for one number
 * of lanes (*_lanes.inc).
 *
 * Stride 1 is F(4x4,3x3): 36 points, that is 36 multiplications where direct convolution
 * has 144. The points of interpolation are 0, +-A, +-B and infinity. With A = 0.625,
 * B = 1.5 the result of 64 channels is off by 7e-7 (root mean square, relative), with
 * the popular 1 and 2 by 17e-7.
 */
#define WINO_A 0.625f
#define WINO_B 1.5f

enum { WINO_OUT = 4, WINO_IN = 6, WINO_POINTS = 36 };

/*
 * Stride 2 is done by the phases of phases.h in both directions: together 81
 * multiplications instead of 144; points of even pixels share their weights, so that there
 * are 36 different weights again. The data gradient is the same with two taps for the odd
 * pixels of dx and one for the even ones. Off by 7e-7 as well.
 */
enum { STRIDED_POINTS = 81 };

enum { WINO_WEIGHTS = 36 }; /* that differ, in all forms */

/* Stride 1; stride 2, of which one pass halves the map and the other doubles it. */
enum wino_form { WINO_SAME, WINO_HALVE, WINO_DOUBLE, WINO_FORMS };

/* Points that share weights i, which lie one after the other. */
static inline int64_t
wino_points_of(enum wino_form form, int64_t i)
{
    const int64_t rows = i / 6 == STRIDED_ODD ? STRIDED_EVEN : 1;
    const int64_t columns = i % 6 == STRIDED_ODD ? STRIDED_EVEN : 1;

    return form == WINO_SAME ? 1 : rows * columns;
}

/* The most points that share weights. */
static inline int64_t
wino_most_shared(enum wino_form form)
{
    return form == WINO_SAME ? 1 : STRIDED_EVEN * STRIDED_EVEN;
}

/* One pass over maps (c,h,w), whose channels are summed, to maps (k,p,q). */
struct wino_shape {
    enum wino_form form;
    int64_t c, k, h, w, p, q, block;
    int64_t c_lanes, k_lanes; /* padded */
    int64_t rows, columns;    /* tiles of an image */
};

enum { WINO_SOON = 2 /* maps: x of the next chunk, and y */ };

/* Rows of tiles, of consecutive images of a map, that will be read or written soon. */
struct wino_soon {
    const float *map;      /* (lanes,h,w), its first image */
    int64_t first, n;      /* rows of tiles */
    int64_t step, overlap; /* rows of pixels of each, and of those that it has in common
                              with the next one */
    int64_t lanes, h, w;
};

/* Tiles that are computed together: whole rows of tiles of consecutive images.
 *   v[point] (tiles, c_lanes) = B^T x B      m[point] (tiles, k_lanes) = sum_c u v
 * m may lie where v does, wino_most_shared points before it. */
struct wino_chunk {
    struct wino_soon soon[WINO_SOON];
    float *v, *m;
    int64_t stride;     /* from point to point, in floats */
    float *columns;     /* (4 * columns + 2, 6, block): a row of tiles half done */
    const float *zeros; /* (w, block) */
    float *rows;        /* (WINO_ROWS, w, block): rows of a value that is not stored */
    int64_t first;      /* channel of x with which the pass begins */
    int64_t tiles;
};

enum { WINO_ROWS = 9 }; /* of pixels, that a row of tiles reads, at most */

/* With few channels tiles of an image go together, at most, and with them floats from
 * point to point of v: half a cache line more than needed, as in other chunks. */
enum { WINO_SMALL_TILES = 8 };
#define WINO_SMALL_STRIDE(lanes) ((WINO_SMALL_TILES + 1) * (lanes))

/* The stages of a form, for one number of lanes. */
struct wino_lanes {
    /* v of the row of tiles `row` of the image x; the first tile is number `tile`. */
    void (*input)(const struct wino_chunk *chunk, int64_t tile,
                  const struct map_value *x, int64_t row, const struct wino_shape *s);
    /* m of all tiles, while what is needed soon is fetched. u: for each of
     * WINO_WEIGHTS, panels (c, 2 * block) of channels k, the last of which may be half
     * as wide. */
    void (*multiply)(const struct wino_chunk *chunk, const float *u,
                     const struct wino_shape *s);
    /* y = after(A^T m A) of a row of tiles; `out` is of its image. */
    void (*output)(const struct conv_out *out, const struct wino_chunk *chunk,
                   int64_t tile, int64_t row, const struct wino_shape *s);
    /* All of an image where x and y have as many channels as there are lanes, by tiles
     * that never leave the first-level cache; NULL: where that is no faster. */
    void (*small)(const struct conv_out *out, const struct map_value *x, const float *u,
                  const struct wino_chunk *chunk, const struct wino_shape *s);
};
extern const struct wino_lanes wino8[WINO_FORMS], wino16[WINO_FORMS];

#endif
