/* wino.c - Winograd convolution, forward and data gradient: weights, chunks of tiles, and
 * for which shapes. The vector code is in wino_lanes.inc and wino_strided_lanes.inc.
 *
 * The gradient of the input is a convolution of dy with the kernel turned by 180 degrees
 * and its channels exchanged, so with stride 1 both passes differ in their weights alone.
 *
 * Invariant: an image's result does not depend on which images are computed with it. */
#include "worker/engine/cpu/wino.h"

#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "worker/engine/cpu/maps.h"

enum { LINE = 16 /* floats of a cache line */ };

static enum wino_form
form_of(const struct conv_shape *conv, enum conv_pass pass)
{
    if (conv->stride == 1)
        return WINO_SAME;
    return pass == CONV_FORWARD ? WINO_HALVE : WINO_DOUBLE;
}

/* What a pass reads and writes. */
static struct wino_shape
shape_of(const struct conv_shape *conv, enum conv_pass pass, int64_t block)
{
    const bool forward = pass == CONV_FORWARD;
    struct wino_shape s = {.form = form_of(conv, pass), .block = block};

    s.c = forward ? conv->c : conv->k;
    s.h = forward ? conv->h : conv->p;
    s.w = forward ? conv->w : conv->q;
    s.k = forward ? conv->k : conv->c;
    s.p = forward ? conv->p : conv->h;
    s.q = forward ? conv->q : conv->w;
    s.c_lanes = cpu_round_up(s.c, block);
    s.k_lanes = cpu_round_up(s.k, block);
    s.rows = (conv->p + WINO_OUT - 1) / WINO_OUT;
    s.columns = (conv->q + WINO_OUT - 1) / WINO_OUT;
    return s;
}

static const struct wino_lanes *
lanes_for(const struct wino_shape *s)
{
    return (s->block == 16 ? wino16 : wino8) + s->form;
}

/* Does a tile go through all stages before the next ones? */
static bool
is_small(const struct wino_shape *s)
{
    return s->c == s->block && s->k_lanes == s->block && lanes_for(s)->small != NULL;
}

/* ---- weights --------------------------------------------------------------------- */

enum { PANEL = 32 }; /* kernels that are transformed together, at most */

/* to[i] = G from for n kernels; steps from element to element. Row i of G is
 * (1, p, p^2) / product of the distances from point p to the others. */
CPU_INLINE void
transform_kernels(float *restrict to, int64_t to_step, const float *restrict from,
                  int64_t from_step, const int n)
{
    const float a = WINO_A, b = WINO_B, a2 = a * a, b2 = b * b;
    const float at_0 = 1.0f / (a2 * b2);
    const float at_a = 0.5f / (a2 * (a2 - b2)), at_b = 0.5f / (b2 * (b2 - a2));

    for (int l = 0; l < n; l++) {
        const float w0 = from[l], w1 = from[from_step + l];
        const float w2 = from[2 * from_step + l];
        const float even_a = at_a * (w0 + a2 * w2), odd_a = at_a * a * w1;
        const float even_b = at_b * (w0 + b2 * w2), odd_b = at_b * b * w1;

        to[l] = at_0 * w0;
        to[to_step + l] = even_a + odd_a;
        to[2 * to_step + l] = even_a - odd_a;
        to[3 * to_step + l] = even_b + odd_b;
        to[4 * to_step + l] = even_b - odd_b;
        to[5 * to_step + l] = w2;
    }
}

/* u[i] (n lanes) = G w G^T for n kernels w (3,3,n) */
CPU_INLINE void
transform_panel(float *restrict u, int64_t stride, const float *w, enum wino_form form,
                const int n)
{
    float half[6 * 3 * PANEL], full[6 * PANEL];

    for (int64_t j = 0; j < 3; j++)
        if (form == WINO_SAME)
            transform_kernels(half + j * n, 3 * n, w + j * n, 3 * n, n);
        else
            strided_weights(half + j * n, 3 * n, w + j * n, 3 * n, n);
    for (int64_t i = 0; i < 6; i++, u += 6 * stride) {
        if (form == WINO_SAME)
            transform_kernels(full, n, half + i * 3 * n, n, n);
        else
            strided_weights(full, n, half + i * 3 * n, n, n);
        for (int64_t j = 0; j < 6; j++)
            for (int l = 0; l < n; l++)
                u[j * stride + l] = full[j * n + l];
    }
}

enum { GATHERED = 8 }; /* channels c whose kernels are gathered together: some lines */

/* w (count,9,n) = the kernels from `count` channels c, c + 1, ... to the n channels k,
 * k + 1, ... of the pass, zero where there are none. Where consecutive c lie together in
 * memory they are read so, or rows of many k would meet in one set of a cache. */
CPU_INLINE void
gather_kernels(float *restrict w, const float *restrict weight,
               const struct conv_shape *conv, enum conv_pass pass, int64_t c,
               int64_t count, int64_t k, const int n)
{
    const bool turned = pass == CONV_BACKWARD_DATA;
    const int64_t limit = turned ? conv->c : conv->k;

    if (k + n > limit)
        memset(w, 0, (size_t)(count * 9 * n) * sizeof(float));
    for (int64_t l = 0; l < n && k + l < limit; l++)
        for (int64_t i = 0; i < count; i++) {
            const int64_t kc =
                turned ? (c + i) * conv->c + k + l : (k + l) * conv->c + c + i;
            for (int64_t j = 0; j < 9; j++)
                w[(i * 9 + j) * n + l] = weight[kc * 9 + (turned ? 8 - j : j)];
        }
}

/* to = from, past the caches where that can be. `to` is aligned to 16 bytes, n a multiple
 * of 4. */
CPU_INLINE void
stream(float *to, const float *from, int64_t n)
{
#if defined(__SSE__)
    for (int64_t i = 0; i < n; i += 4)
        _mm_stream_ps(to + i, _mm_loadu_ps(from + i));
#else
    memcpy(to, from, (size_t)n * sizeof(float));
#endif
}

/* The streams of this thread are seen by others before what it writes next. */
CPU_INLINE void
end_streams(void)
{
#if defined(__SSE__)
    _mm_sfence();
#endif
}

/* The panel (c, n) of the channels k, k + 1, ... for all weights. They go out in runs of
 * some lines; what was there need not be read to be overwritten. */
CPU_INLINE void
pack_panel(float *u, const float *weight, const struct conv_shape *conv,
           enum conv_pass pass, int64_t k, const struct wino_shape *s, const int n)
{
    const int64_t size = s->c * s->k_lanes;
    float w[GATHERED * 9 * PANEL], made[WINO_WEIGHTS * GATHERED * PANEL];

    for (int64_t first = 0; first < s->c; first += GATHERED) {
        const int64_t count = cpu_at_most(GATHERED, s->c - first);
        float *to = u + k * s->c + first * n;

        gather_kernels(w, weight, conv, pass, first, count, k, n);
        for (int64_t i = 0; i < count; i++)
            transform_panel(made + i * n, GATHERED * n, w + i * 9 * n, s->form, n);
        for (int64_t i = 0; i < WINO_WEIGHTS; i++)
            stream(to + i * size, made + i * GATHERED * n, count * n);
    }
}

/* The weights in the order in which `multiply` reads them; a share of the panels. */
static CPU_CLONES void
pack(float *u, const float *weight, const struct conv_shape *conv, enum conv_pass pass,
     int64_t block, int64_t part, int64_t parts)
{
    const struct wino_shape s = shape_of(conv, pass, block);
    const int64_t panels = (s.k_lanes + 2 * block - 1) / (2 * block);
    const int64_t end = cpu_at_most((part + 1) * panels / parts * 2 * block, s.k_lanes);

    for (int64_t k = part * panels / parts * 2 * block; k < end; k += 2 * block) {
        const int64_t width = cpu_at_most(2 * block, s.k_lanes - k);

        if (width == 32)
            pack_panel(u, weight, conv, pass, k, &s, 32);
        else if (width == 16)
            pack_panel(u, weight, conv, pass, k, &s, 16);
        else
            pack_panel(u, weight, conv, pass, k, &s, 8);
    }
    end_streams();
}

static int64_t
packed_floats(const struct wino_shape *s)
{
    return WINO_WEIGHTS * s->c * s->k_lanes;
}

/* ---- chunks ---------------------------------------------------------------------- */

/* Tiles of a chunk. A chunk of few tiles stays in the second-level cache from input to
 * output; one of many reads the weights, where they are larger than that cache, less
 * often. Products go by six tiles. Measured (AVX2, 1 thread, effective GFLOP/s, chunks of
 * 16 / 24 / 48 tiles): stride 1 with 64 channels 269 276 243, 128: 329 327 316, 512: -
 * 316 354; stride 2, 64->128 120 120 114, 128->256 131 136 130, 256->512 - 118 141.
 */
static int64_t
chunk_tiles(const struct wino_shape *s)
{
    if (is_small(s))
        return WINO_SMALL_TILES;
    if (s->c <= 8)
        return 48;
    return s->c * s->k <= 128 * 256 ? 24 : 48;
}

/* Rows of tiles in a chunk. */
static int64_t
chunk_rows(const struct wino_shape *s, int64_t images)
{
    const int64_t tiles = chunk_tiles(s);
    const int64_t rows = tiles > s->columns ? tiles / s->columns : 1;

    return cpu_at_most(rows, images * s->rows);
}

/* Floats of a row of tiles half done: pixels of the map read by values for each. */
static int64_t
column_floats(const struct wino_shape *s)
{
    const int64_t tiles = is_small(s) ? WINO_SMALL_TILES : s->columns;

    if (s->form == WINO_SAME)
        return (WINO_OUT * tiles + 2) * WINO_IN * s->block;
    const int64_t step = s->form == WINO_HALVE ? 2 * STRIDED_EVEN : STRIDED_EVEN;
    return (step * s->columns + 1) * (STRIDED_ODD + STRIDED_EVEN) * s->block;
}

/* Floats of the arrays of a chunk. */
struct sizes {
    int64_t points, lag, stride, columns, zeros, rows, all;
};

/* Products take the place of what other products were made of before, so that twice as
 * many tiles stay in a cache. From point to point there is one cache line more than
 * needed, lest all points fall into one set of a cache. */
static struct sizes
sizes_of(const struct wino_shape *s, int64_t images)
{
    const int64_t tiles = chunk_rows(s, images) * s->columns;
    const int64_t lanes = s->c_lanes > s->k_lanes ? s->c_lanes : s->k_lanes;
    struct sizes n = {.points = s->form == WINO_SAME ? WINO_POINTS : STRIDED_POINTS,
                      .lag = wino_most_shared(s->form),
                      .stride = cpu_round_up(tiles * lanes, LINE) + LINE,
                      .columns = column_floats(s),
                      .zeros = s->w * s->block,
                      .rows = WINO_ROWS * s->w * s->block};

    if (is_small(s))
        n.stride = WINO_SMALL_STRIDE(s->block);
    n.all = (n.lag + n.points) * n.stride + n.columns + n.zeros + n.rows;
    return n;
}

static struct wino_chunk
make_chunk(const struct wino_shape *s, int64_t images, float *workspace)
{
    const struct sizes n = sizes_of(s, images);
    float *v = workspace + n.lag * n.stride;
    float *columns = v + n.points * n.stride, *zeros = columns + n.columns;

    memset(zeros, 0, (size_t)n.zeros * sizeof(float));
    return (struct wino_chunk){.v = v,
                               .m = workspace,
                               .stride = n.stride,
                               .columns = columns,
                               .zeros = zeros,
                               .rows = zeros + n.zeros};
}

/* n rows of tiles of x */
static struct wino_soon
soon_read(const struct map_value *x, int64_t first, int64_t n,
          const struct wino_shape *s)
{
    return (struct wino_soon){.map = x->n > 0 ? x->terms[0].x : x->at,
                              .first = first,
                              .n = n,
                              .step = s->form == WINO_HALVE ? 2 * WINO_OUT : WINO_OUT,
                              .overlap = 1,
                              .lanes = s->c_lanes,
                              .h = s->h,
                              .w = s->w};
}

/* n rows of tiles of y */
static struct wino_soon
soon_written(const struct conv_out *out, int64_t first, int64_t n,
             const struct wino_shape *s)
{
    return (struct wino_soon){.map = out->at,
                              .first = first,
                              .n = n,
                              .step = s->form == WINO_DOUBLE ? 2 * WINO_OUT : WINO_OUT,
                              .lanes = s->k_lanes,
                              .h = s->p,
                              .w = s->q};
}

/* Are maps fetched ahead? Small ones lie in a cache, or processors guess well enough.
 * Measured (AVX2, 1 thread, us an image with and without): 16 channels at 16x16 6.5 6.2,
 * 32 at 8x8 4.8 4.6, 64 at 8x8 18.2 16.5, 32 at 16x16 21.8 21.9, 16 at 32x32 28.5 34.5, 64
 * at 16x16 68 75, 128 at 16x16 239 253. */
static bool
fetches(const struct wino_shape *s)
{
    return s->c_lanes * s->h * s->w > 4096 || s->k_lanes * s->p * s->q > 4096;
}

/* Image by image. */
static void
convolve_small(const struct conv_out *out, const struct map_value *x, const float *u,
               const struct wino_shape *s, int64_t images, float *workspace)
{
    const struct wino_chunk chunk = make_chunk(s, images, workspace);
    const int64_t x_image = s->c_lanes * s->h * s->w;
    const int64_t y_image = s->k_lanes * s->p * s->q;

    for (int64_t n = 0; n < images; n++) {
        const struct map_value x_n = map_value_later(x, n * x_image);
        struct conv_after after;
        const struct conv_out y_n = conv_out_at(out, n * y_image, &after);

        lanes_for(s)->small(&y_n, &x_n, u, &chunk, s);
    }
}

static void
convolve_chunks(const struct conv_out *out, const struct map_value *x, const float *u,
                const struct wino_shape *s, int64_t images, float *workspace)
{
    const struct wino_lanes *lanes = lanes_for(s);
    const int64_t step = chunk_rows(s, images), rows = images * s->rows;
    const int64_t x_image = s->c_lanes * s->h * s->w;
    const int64_t y_image = s->k_lanes * s->p * s->q;
    struct wino_chunk chunk = make_chunk(s, images, workspace);

    for (int64_t first = 0; first < rows; first += step) {
        const int64_t end = cpu_at_most(first + step, rows);

        for (int64_t i = first; i < end; i++) {
            const struct map_value image = map_value_later(x, i / s->rows * x_image);

            lanes->input(&chunk, (i - first) * s->columns, &image, i % s->rows, s);
        }
        chunk.tiles = (end - first) * s->columns;
        if (fetches(s)) {
            chunk.soon[0] = soon_read(x, end, cpu_at_most(step, rows - end), s);
            chunk.soon[1] = soon_written(out, first, end - first, s);
        }
        lanes->multiply(&chunk, u, s);
        for (int64_t i = first; i < end; i++) {
            struct conv_after after;
            const struct conv_out y = conv_out_at(out, i / s->rows * y_image, &after);

            lanes->output(&y, &chunk, (i - first) * s->columns, i % s->rows, s);
        }
    }
}

static void
convolve(const struct conv_out *out, const struct map_value *x, const float *u,
         const struct wino_shape *s, int64_t images, float *workspace)
{
    if (is_small(s))
        convolve_small(out, x, u, s, images, workspace);
    else
        convolve_chunks(out, x, u, s, images, workspace);
}

/* ---- the kernels ----------------------------------------------------------------- */

/* Where it is faster than oneDNN's direct convolution. Measured on AVX2 (Zen 3, 1 thread,
 * conv_bench, times as fast forward / data gradient): stride 1: 64 channels at 32x32 2.8 /
 * 2.7, 128 at 16x16 3.5 / 3.0, 256 at 8x8 3.4 / 2.9, 512 at 4x4 3.2 / 2.6, 8 at 32x32 3.1 /
 * 1.7; stride 2: 64->128 1.5 / 1.5, 128->256 1.7 / 2.1, 256->512 1.9 / 1.5, 16->32 1.2 / 1.2,
 * 8->16 1.1 / 0.9. Not measured on AVX-512: there oneDNN's direct convolution reaches 200
 * to 230 GFLOP/s of 252, so that stride 1 should win by as much as here. */
static bool
suits(const struct conv_shape *conv, int64_t block)
{
    return conv->kernel == 3 && conv->pad == 1 && !conv->plain_x
           && (conv->stride == 1 || (conv->stride == 2 && conv->c >= 16))
           && (block == 8 || block == 16);
}

/* As many as fill a chunk, for which the weights are read once; but a batch of 128 shall
 * keep four threads busy. */
static int64_t
together(const struct conv_shape *conv, int64_t block)
{
    const struct wino_shape s = shape_of(conv, CONV_FORWARD, block);
    const int64_t tiles = s.rows * s.columns;

    if (is_small(&s))
        return 1;
    return cpu_at_most((chunk_tiles(&s) + tiles - 1) / tiles, 32);
}

static int64_t
workspace_of(const struct conv_shape *conv, enum conv_pass pass, int64_t block,
             int64_t images)
{
    const struct wino_shape s = shape_of(conv, pass, block);

    return sizes_of(&s, images).all;
}

static int64_t
forward_workspace(const struct conv_shape *conv, int64_t block, int64_t images)
{
    return workspace_of(conv, CONV_FORWARD, block, images);
}

static int64_t
data_workspace(const struct conv_shape *conv, int64_t block, int64_t images)
{
    return workspace_of(conv, CONV_BACKWARD_DATA, block, images);
}

static int64_t
forward_packed(const struct conv_shape *conv, int64_t block)
{
    const struct wino_shape s = shape_of(conv, CONV_FORWARD, block);

    return packed_floats(&s);
}

static int64_t
data_packed(const struct conv_shape *conv, int64_t block)
{
    const struct wino_shape s = shape_of(conv, CONV_BACKWARD_DATA, block);

    return packed_floats(&s);
}

static void
forward_pack(float *packed, const float *weight, const struct conv_shape *conv,
             int64_t block, int64_t part, int64_t parts)
{
    pack(packed, weight, conv, CONV_FORWARD, block, part, parts);
}

static void
data_pack(float *packed, const float *weight, const struct conv_shape *conv,
          int64_t block, int64_t part, int64_t parts)
{
    pack(packed, weight, conv, CONV_BACKWARD_DATA, block, part, parts);
}

static void
forward(float *y, const struct map_value *x, const float *packed,
        const struct conv_after *after, const struct conv_shape *conv, int64_t block,
        int64_t images, float *workspace)
{
    const struct wino_shape s = shape_of(conv, CONV_FORWARD, block);

    convolve(&(struct conv_out){y, false, after}, x, packed, &s, images, workspace);
}

static void
backward_data(float *dx, bool accumulate, const float *dy, const float *packed,
              const struct conv_shape *conv, int64_t block, int64_t images,
              float *workspace)
{
    const struct wino_shape s = shape_of(conv, CONV_BACKWARD_DATA, block);

    convolve(&(struct conv_out){dx, accumulate, NULL}, &(struct map_value){.at = dy},
             packed, &s, images, workspace);
}

const struct conv_kernel wino_forward = {.name = "winograd",
                                         .pass = CONV_FORWARD,
                                         .suits = suits,
                                         .lazy = true,
                                         .together = together,
                                         .workspace = forward_workspace,
                                         .packed = forward_packed,
                                         .pack = forward_pack,
                                         .forward = forward};

const struct conv_kernel wino_backward_data = {.name = "winograd",
                                               .pass = CONV_BACKWARD_DATA,
                                               .suits = suits,
                                               .together = together,
                                               .workspace = data_workspace,
                                               .packed = data_packed,
                                               .pack = data_pack,
                                               .backward_data = backward_data};
