/* strided.c - forward convolution of few channels with stride 2 by phases: weights, rows
 * of tiles, and for which shapes. The vector code is in strided_lanes.inc.
 *
 * Invariant: an image's result does not depend on which images are computed with it. */
#include "worker/engine/cpu/strided.h"

#include <string.h>

#include "worker/engine/cpu/maps.h"

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
                                  .c_lanes = cpu_round_up(conv->c, block),
                                  .k_lanes = cpu_round_up(conv->k, block),
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

/* The panel (c_lanes, 3, n) of the channels k, k + 1, ... for all weights, which are
 * `stride` floats apart. */
CPU_INLINE void
pack_panel(float *restrict u, int64_t stride, const float *restrict weight,
           const struct strided_shape *s, int64_t k, const int n)
{
    float w[9 * PANEL];

    for (int64_t c = 0; c < s->c_lanes; c++, u += 3 * n) {
        gather_kernels(w, weight, s, c, k, n);
        strided_weights(u, stride, w, 3 * n, 3 * n);
    }
}

static int64_t
weights_floats(const struct strided_shape *s)
{
    return 3 * s->c_lanes * s->k_lanes;
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
        const int64_t width = cpu_at_most(2 * block, s.k_lanes - k);
        float *to = u + k * 3 * s.c_lanes;

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

/* ---- rows of tiles ----------------------------------------------------------------- */

/* Floats of the arrays of a row of tiles. From point to point there is one cache line more
 * than needed, lest all points fall into one set of a cache. */
struct sizes {
    int64_t v_stride, m_stride, pixels, all;
};

static struct sizes
sizes_of(const struct strided_shape *s)
{
    struct sizes n = {.v_stride =
                          s->columns * s->c_lanes * STRIDED_VALUES + STRIDED_LINE,
                      .m_stride = s->columns * s->k_lanes * STRIDED_TILE + STRIDED_LINE,
                      .pixels = s->columns * 2 * STRIDED_TILE * s->block};

    n.all = STRIDED_TAPS * (n.v_stride + n.m_stride + n.pixels) + n.pixels;
    return n;
}

static struct strided_row
make_row(const struct strided_shape *s, float *workspace)
{
    const struct sizes n = sizes_of(s);
    float *m = workspace + STRIDED_TAPS * n.v_stride;
    float *zeros = m + STRIDED_TAPS * n.m_stride;

    memset(zeros, 0, (size_t)n.pixels * sizeof(float));
    return (struct strided_row){.v = workspace,
                                .m = m,
                                .v_stride = n.v_stride,
                                .m_stride = n.m_stride,
                                .zeros = zeros,
                                .made = zeros + n.pixels};
}

static int64_t
workspace_of(const struct conv_shape *conv, int64_t block, int64_t images)
{
    const struct strided_shape s = shape_of(conv, block);
    (void)images;

    return sizes_of(&s).all;
}

static void
forward_image(const struct conv_out *out, const struct map_value *x,
              const float *packed, const struct strided_row *row,
              const struct strided_shape *s)
{
    const struct strided_lanes *lanes = s->block == 16 ? &strided16 : &strided8;

    for (int64_t i = 0; i < s->p; i += STRIDED_TILE) {
        lanes->input(row, x, i, s);
        lanes->multiply(row, packed, s);
        lanes->output(out, row, i, s);
    }
}

static void
forward(float *y, const struct map_value *x, const float *packed,
        const struct conv_after *after, const struct conv_shape *conv, int64_t block,
        int64_t images, float *workspace)
{
    const struct strided_shape s = shape_of(conv, block);
    const struct strided_row row = make_row(&s, workspace);
    const struct conv_out all = {y, false, after};

    for (int64_t n = 0; n < images; n++) {
        const struct map_value x_n = map_value_later(x, n * s.c_lanes * s.h * s.w);
        struct conv_after of_image;
        const struct conv_out out =
            conv_out_at(&all, n * s.k_lanes * s.p * s.q, &of_image);

        forward_image(&out, &x_n, packed, &row, &s);
    }
}

/* Where it is faster than direct convolution, and Winograd's method in both directions not
 * faster than it. Measured on AVX2 (Zen 3, 1 thread, us an image, direct and this): 8->16
 * channels at 32x32 6.7 5.8, 16->32 at 16x16 6.3 4.9, at 32x32 24 20, 32->64 at 8x8 5.7
 * 4.4, at 16x16 24 18; 64->128 at 16x16 69 by Winograd's method, 68. Tiles beyond an edge
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
