#ifndef WORKER_ENGINE_CPU_WINO_WEIGHTS_H
#define WORKER_ENGINE_CPU_WINO_WEIGHTS_H

#include "worker/engine/cpu/wino.h"

/*
 * The gradient of the weights of the convolution of wino.h. From
 * y = A^T [ sum_c (G w G^T) . (B^T x B) ] A follows, with sums over all tiles,
 *
 *   dw = G^T [ sum (A dy A^T) . (B^T x B) ] G
 *
 * The sums are 36 products of a (tiles, k) by a (tiles, c) matrix; this is the seam
 * between the algorithm (wino_weights.c) and the code for one number of lanes
 * (wino_weights_lanes.inc). Channels go by panels of two blocks, the last of which may
 * be half as wide, so that a product reads consecutive memory:
 *
 *   v, d: [panel][point] (tiles, width), B^T x B and A dy A^T
 *   du:   [panel of k][panel of c][point] (width of k, width of c)
 */
struct wino_tiles {
    float *v, *d;
    int64_t stride;     /* from point to point of v and d, in floats */
    int64_t tiles;      /* in the sums */
    float *columns;     /* as in struct wino_chunk */
    const float *zeros; /* as in struct wino_chunk */
};

/* Panels of k or c: n of them, side by side. */
struct wino_panels {
    int64_t first, n;
};

/* The stages, for one number of lanes. In all of them s is of the forward pass. */
struct wino_weights_lanes {
    /* v, or d, of the row of tiles `row` of an image; the first is number `tile`. */
    void (*input)(const struct wino_tiles *t, int64_t tile, const float *x, int64_t row,
                  const struct wino_shape *s);
    void (*gradient)(const struct wino_tiles *t, int64_t tile, const float *dy,
                     int64_t row, const struct wino_shape *s);
    /* du of these panels = the sums, or += them */
    void (*multiply)(float *du, bool accumulate, const struct wino_tiles *t,
                     struct wino_panels k, struct wino_panels c,
                     const struct wino_shape *s);
    /* grad (k,c,3,3) += G^T du G of these panels */
    void (*weights)(float *grad, const float *du, struct wino_panels k,
                    struct wino_panels c, const struct wino_shape *s);
};
extern const struct wino_weights_lanes wino_weights8, wino_weights16;

static inline int64_t
wino_panels_of(int64_t lanes, int64_t block)
{
    return (lanes + 2 * block - 1) / (2 * block);
}

/* Floats of du for one pair of panels. */
static inline int64_t
wino_pair(int64_t block)
{
    return WINO_POINTS * 4 * block * block;
}

#endif
