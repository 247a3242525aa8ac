/* strided.c - forward convolution of few channels with stride 2 by phases: weights, chunks
 * of tiles, and for which shapes. The vector code is in strided_rows_lanes.inc.
 *
 * Invariant: an image's result does not depend on which images are computed with it. */
#include "worker/engine/cpu/strided.h"

#include <string.h>

#include "worker/engine/cpu/maps.h"

enum { LINE = 16 /* floats of a cache line */ };

static int64_t
round_up(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

static int64_t
at_most(int64_t n, int64_t limit)
{
    return n < limit ? n : limit;
}

static struct strided_shape
shape_of(const struct conv_shape *conv, int64_t block)
{
    return (struct strided_shape){.c = conv->c,
                                  .k = conv->k,
                                  .h = conv->h,
                                  .w = conv->w,
                                  .p = conv->p,
                                  .q = conv->q,
                                  .block = block,
                                  .c_lanes = round_up(conv->c, block),
                                  .k_lanes = round_up(conv->k, block),
                                  .rows = (conv->p + STRIDED_TILE - 1) / STRIDED_TILE,
                                  .columns =
                                      (conv->q + STRIDED_TILE - 1) / STRIDED_TILE};
}

/* ---- weights --------------------------------------------------------------------- */

enum { PANEL = 32 /* kernels that are transformed together, at most */ };

/* w (3,3,n) = the kernels from c to k, k + 1, ..., zero where there is no such channel */
CPU_INLINE void
gather_kernels(float *restrict w, const float *restrict weight,
               const struct strided_shape *s, int64_t c, int64_t k, const int n)
{
    for (int64_t tap = 0; tap < 9; tap++)
        for (int64_t l = 0; l < n; l++)
            w[tap * n + l] = c < s->c && k + l < s->k
                                 ? weight[((k + l) * s->c + c) * 9 + tap]
                                 : 0.0f;
}

/* The panel (c_lanes, STRIDED_COLUMNS, n) of the channels k, k + 1, ... for all weights,
 * which are `stride` floats apart. */
CPU_INLINE void
pack_panel(float *restrict u, int64_t stride, const float *restrict weight,
           const struct strided_shape *s, int64_t k, const int n)
{
    float w[9 * PANEL], rows[STRIDED_WEIGHTS * 3 * PANEL];

    for (int64_t c = 0; c < s->c_lanes; c++, u += STRIDED_COLUMNS * n) {
        gather_kernels(w, weight, s, c, k, n);
        strided_weights(rows, 3 * n, w, 3 * n, 3 * n);
        for (int64_t i = 0; i < STRIDED_WEIGHTS; i++) {
            const float *from = rows + i * 3 * n;
            float *to = u + i * stride;

            for (int l = 0; l < n; l++) {
                to[l] = from[l];
                to[n + l] = from[n + l];
                to[2 * n + l] = from[l] + from[2 * n + l];
                to[3 * n + l] = from[2 * n + l];
            }
        }
    }
}

static int64_t
weights_floats(const struct strided_shape *s)
{
    return STRIDED_COLUMNS * s->c_lanes * s->k_lanes;
}

static CPU_CLONES void
pack(float *u, const float *weight, const struct conv_shape *conv, int64_t block,
     int64_t part, int64_t parts)
{
    const struct strided_shape s = shape_of(conv, block);
    const int64_t panels = (s.k_lanes + 2 * block - 1) / (2 * block);
    const int64_t stride = weights_floats(&s);

    for (int64_t i = part * panels / parts; i < (part + 1) * panels / parts; i++) {
        const int64_t k = i * 2 * block;
        const int64_t width = at_most(2 * block, s.k_lanes - k);
        float *to = u + k * STRIDED_COLUMNS * s.c_lanes;

        if (width == 32)
            pack_panel(to, stride, weight, &s, k, 32);
        else if (width == 16)
            pack_panel(to, stride, weight, &s, k, 16);
        else
            pack_panel(to, stride, weight, &s, k, 8);
    }
}

static int64_t
packed_floats(const struct conv_shape *conv, int64_t block)
{
    const struct strided_shape s = shape_of(conv, block);

    return STRIDED_WEIGHTS * weights_floats(&s);
}

/* ---- chunks ---------------------------------------------------------------------- */

/* Tiles of a chunk: weights of 32 to 64 channels come from the second-level cache, and seldom
 * enough. Chunks of 2 to 24 tiles are alike. */
enum { CHUNK_TILES = 4 };

/* Rows of tiles of a chunk. */
static int64_t
chunk_rows(const struct strided_shape *s, int64_t images)
{
    const int64_t rows = CHUNK_TILES > s->columns ? CHUNK_TILES / s->columns : 1;

    return at_most(rows, images * s->rows);
}

/* Floats of the arrays of a chunk. From point to point there is one cache line more than
 * needed, lest all points fall into one set of a cache. */
struct sizes {
    int64_t v_stride, m_stride, row, all;
};

static struct sizes
sizes_of(const struct strided_shape *s, int64_t images)
{
    const int64_t tiles = chunk_rows(s, images) * s->columns;
    struct sizes n = {.v_stride = tiles * s->c_lanes * STRIDED_VALUES + LINE,
                      .m_stride = tiles * s->k_lanes * STRIDED_TILE + LINE,
                      .row = s->columns * 2 * STRIDED_TILE * s->block};

    n.all = STRIDED_TAPS * n.v_stride + STRIDED_ODD * n.m_stride
            + (STRIDED_TAPS + 1) * n.row;
    return n;
}

static struct strided_chunk
make_chunk(const struct strided_shape *s, int64_t images, float *workspace)
{
    const struct sizes n = sizes_of(s, images);
    float *m = workspace + STRIDED_TAPS * n.v_stride;
    float *zeros = m + STRIDED_ODD * n.m_stride;

    memset(zeros, 0, (size_t)n.row * sizeof(float));
    return (struct strided_chunk){.v = workspace,
                                  .m = m,
                                  .v_stride = n.v_stride,
                                  .m_stride = n.m_stride,
                                  .zeros = zeros,
                                  .made = zeros + n.row};
}

static int64_t
workspace_of(const struct conv_shape *conv, int64_t block, int64_t images)
{
    const struct strided_shape s = shape_of(conv, block);

    return sizes_of(&s, images).all;
}

static void
forward(float *y, const struct map_value *x, const float *packed,
        const struct conv_after *after, const struct conv_shape *conv, int64_t block,
        int64_t images, float *workspace)
{
    const struct strided_lanes *lanes = block == 16 ? &strided16 : &strided8;
    const struct strided_shape s = shape_of(conv, block);
    const struct conv_out out = {y, false, after};
    const float *even = packed + STRIDED_ODD * weights_floats(&s);
    const int64_t step = chunk_rows(&s, images), rows = images * s.rows;
    const int64_t x_image = s.c_lanes * s.h * s.w, y_image = s.k_lanes * s.p * s.q;
    struct strided_chunk chunk = make_chunk(&s, images, workspace);

    for (int64_t first = 0; first < rows; first += step) {
        const int64_t end = at_most(first + step, rows);

        for (int64_t i = first; i < end; i++) {
            const struct map_value x_i = map_value_later(x, i / s.rows * x_image);

            lanes->input(&chunk, (i - first) * s.columns, &x_i, i % s.rows, &s);
        }
        chunk.tiles = (end - first) * s.columns;
        lanes->odd(&chunk, packed, &s);
        for (int64_t i = first; i < end; i++) {
            struct conv_after of_image;
            const struct conv_out y_i =
                conv_out_at(&out, i / s.rows * y_image, &of_image);

            lanes->even(&y_i, &chunk, (i - first) * s.columns, i % s.rows, even, &s);
        }
    }
}

/* Where it is faster than direct convolution, and Winograd's method in both directions not
 * faster than it. Measured on AVX2 (Zen 3, 1 thread, us an image, direct and this): 8->16
 * channels at 32x32 6.7 6.3, 16->32 at 16x16 6.3 5.0, at 32x32 24 20, 32->64 at 8x8 5.7
 * 4.5, at 16x16 24 18; 64->128 at 16x16 69 by Winograd's method, 68. Tiles beyond an edge
 * cost as much as others: 8->16 at 28x28 4.9 6.1. */
static bool
suits(const struct conv_shape *conv, int64_t block)
{
    return conv->kernel == 3 && conv->pad == 1 && conv->stride == 2 && !conv->plain_x
           && conv->c * conv->k <= 32 * 64 && (block == 8 || block == 16);
}

const struct conv_kernel strided_forward = {.name = "phases",
                                            .pass = CONV_FORWARD,
                                            .suits = suits,
                                            .lazy = true,
                                            .workspace = workspace_of,
                                            .packed = packed_floats,
                                            .pack = pack,
                                            .forward = forward};
