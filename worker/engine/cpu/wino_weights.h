#ifndef WORKER_ENGINE_CPU_WINO_WEIGHTS_H
#define WORKER_ENGINE_CPU_WINO_WEIGHTS_H

#include "worker/engine/cpu/wino.h"

/*
 * The gradient of the weights of the convolution of wino.h. From
 * y = A^T [ sum_c (G w G^T) . (B^T x B) ] A follows, with sums over all tiles,
 *
 *   dw = G^T [ sum (A dy A^T) . (B^T x B) ] G
 *
 * The sums are a product of a (tiles, k) by a (tiles, c) matrix for each point; with
 * stride 2 points that share their weights are added up, so that there are 36 sums in
 * any case. This is the seam between the algorithm (wino_weights.c) and the code for
 * one number of lanes (*weights_lanes.inc). Channels go by panels of two blocks, the
 * last of which may be half as wide, so that a product reads consecutive memory:
 *
 *   v, d: [panel][point] (tiles, width), B^T x B and A dy A^T
 *   du:   [panel of k][panel of c][weight] (width of k, width of c)
 */
struct wino_tiles {
    float *v, *d;
    int64_t stride;     /* from point to point of v and d, in floats */
    int64_t tiles;      /* in the sums */
    float *columns;     /* a row of tiles of x half done */
    const float *zeros; /* (w, block) */
    float *rows;        /* as those of wino_chunk */
};

/* Panels of k or c: n of them, side by side. */
struct wino_panels {
    int64_t first, n;
};

/* The stages of WINO_SAME or WINO_HALVE, for one number of lanes. In all of them s is
 * of the forward pass. */
struct wino_weights_lanes {
    int points, step, span; /* points; pixels of x from tile to tile, and in a tile */
    /* v, or d, of the row of tiles `row` of an image; the first is number `tile`. */
    void (*input)(const struct wino_tiles *t, int64_t tile, const struct map_value *x,
                  int64_t row, const struct wino_shape *s);
    void (*gradient)(const struct wino_tiles *t, int64_t tile, const float *dy,
                     int64_t row, const struct wino_shape *s);
    /* du of these panels = the sums, or += them */
    void (*multiply)(float *du, bool accumulate, const struct wino_tiles *t,
                     struct wino_panels k, struct wino_panels c,
                     const struct wino_shape *s);
    /* grad (k,c,3,3) += G^T du G of these panels */
    void (*weights)(float *grad, const float *du, struct wino_panels k,
                    struct wino_panels c, const struct wino_shape *s);
    /* sums += those of an image where x and dy have as many channels as there are lanes,
     * by WINO_SMALL_TILES at most that never leave the first-level cache; sums, without
     * the gaps of du: [point] (k, c); NULL: where that is no faster */
    void (*small)(float *sums, const struct wino_tiles *t, const struct map_value *x,
                  const float *dy, const struct wino_shape *s);
};
extern const struct wino_weights_lanes wino_weights8[2], wino_weights16[2];

static inline int64_t
wino_panels_of(int64_t lanes, int64_t block)
{
    return (lanes + 2 * block - 1) / (2 * block);
}

/* Lanes of panel `panel` of all `lanes`. */
static inline int64_t
wino_panel_width(int64_t panel, int64_t lanes, int64_t block)
{
    const int64_t rest = lanes - panel * 2 * block;

    return rest < 2 * block ? rest : 2 * block;
}

#endif
