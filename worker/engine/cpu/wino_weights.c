/* wino_weights.c - the gradient of the weights by Winograd's method: chunks of tiles,
 * partial sums, and for which shapes. The vector code is in wino_weights_lanes.inc.
 *
 * With few channels a partial sum is du, in which all images of a group are added up;
 * it becomes a gradient once, when the groups are put together. With many, du is
 * larger than the maps. Then v and d of as many images as a cache holds are the stage,
 * and each part makes a piece of du from them that no other memory ever sees. */
#include "worker/engine/cpu/wino_weights.h"

#include <string.h>

#include "worker/engine/cpu/maps.h"

enum {
    CHUNK_TILES = 64,      /* which du is read and written once for */
    MOST_PAIRS = 128 * 64, /* c k up to which there are partial sums: 1.2 MB each */
    STAGE_FLOATS = 5 << 19,
    SLICE = 8,       /* images of a partial sum, at least */
    PART_PANELS = 2, /* of c; with one panel of k du then stays in a level 2 cache */
    LINE = 16        /* floats of a cache line */
};

/* A weight gradient: its shape, as of the forward pass, and the code that makes it. */
struct work {
    struct wino_shape s;
    const struct wino_weights_lanes *lanes;
    int64_t x_image, y_image; /* floats */
};

static struct work
work_of(const struct conv_shape *conv, int64_t block)
{
    const enum wino_form form = conv->stride == 1 ? WINO_SAME : WINO_HALVE;
    const struct wino_shape s = {.form = form,
                                 .c = conv->c,
                                 .k = conv->k,
                                 .h = conv->h,
                                 .w = conv->w,
                                 .p = conv->p,
                                 .q = conv->q,
                                 .block = block,
                                 .c_lanes = cpu_round_up(conv->c, block),
                                 .k_lanes = cpu_round_up(conv->k, block),
                                 .rows = (conv->p + WINO_OUT - 1) / WINO_OUT,
                                 .columns = (conv->q + WINO_OUT - 1) / WINO_OUT};

    return (struct work){.s = s,
                         .lanes = &(block == 16 ? wino_weights16 : wino_weights8)[form],
                         .x_image = s.c_lanes * s.h * s.w,
                         .y_image = s.k_lanes * s.p * s.q};
}

/* All panels of k, and of c. */
static struct wino_panels
k_panels(const struct work *w)
{
    return (struct wino_panels){0, wino_panels_of(w->s.k_lanes, w->s.block)};
}

static struct wino_panels
c_panels(const struct work *w)
{
    return (struct wino_panels){0, wino_panels_of(w->s.c_lanes, w->s.block)};
}

/* Floats from point to point: one cache line more than needed, lest all points fall
 * into one set of a cache. */
static int64_t
stride_of(const struct work *w, int64_t tiles)
{
    return tiles * 2 * w->s.block + LINE;
}

/* Do v and d of a few tiles, and all sums, go into the first-level cache? */
static bool
is_small(const struct work *w)
{
    return w->s.c_lanes == w->s.block && w->s.k_lanes == w->s.block
           && w->lanes->small != NULL;
}

/* ---- chunks ---------------------------------------------------------------------- */

static int64_t
columns_floats(const struct work *w)
{
    const struct wino_weights_lanes *l = w->lanes;
    const int64_t tiles = is_small(w) ? WINO_SMALL_TILES : w->s.columns;

    return (l->step * (tiles - 1) + l->span) * l->span * w->s.block;
}

/* Rows of tiles in a chunk. */
static int64_t
chunk_rows(const struct work *w, int64_t images)
{
    const int64_t rows = CHUNK_TILES > w->s.columns ? CHUNK_TILES / w->s.columns : 1;

    return rows < images * w->s.rows ? rows : images * w->s.rows;
}

static int64_t
tiles_floats(const struct work *w, int64_t tiles)
{
    return (k_panels(w).n + c_panels(w).n) * w->lanes->points * stride_of(w, tiles);
}

static int64_t
row_floats(const struct work *w)
{
    return columns_floats(w) + (1 + WINO_ROWS) * w->s.w * w->s.block;
}

/* Of v, and of d. */
static int64_t
small_tiles_floats(const struct work *w)
{
    return WINO_POINTS * WINO_SMALL_STRIDE(w->s.block);
}

static int64_t
small_sums_floats(const struct work *w)
{
    return WINO_POINTS * w->s.block * w->s.block;
}

static int64_t
workspace_of(const struct conv_shape *conv, int64_t block, int64_t images)
{
    const struct work w = work_of(conv, block);

    if (is_small(&w))
        return small_sums_floats(&w) + 2 * small_tiles_floats(&w) + row_floats(&w);
    return tiles_floats(&w, chunk_rows(&w, images) * w.s.columns) + row_floats(&w);
}

/* v and d of at most that many tiles, one after the other. */
static struct wino_tiles
make_tiles(const struct work *w, int64_t tiles, float *at)
{
    struct wino_tiles t = {.v = at, .stride = stride_of(w, tiles)};

    t.d = t.v + c_panels(w).n * w->lanes->points * t.stride;
    return t;
}

/* What the transforms of a row of tiles need. */
static void
make_row(struct wino_tiles *t, const struct work *w, float *at)
{
    float *zeros = at + columns_floats(w);

    memset(zeros, 0, (size_t)(w->s.w * w->s.block) * sizeof(float));
    t->columns = at;
    t->zeros = zeros;
    t->rows = zeros + w->s.w * w->s.block;
}

/* v and d of rows first, first + 1, ... of tiles of consecutive images, from tile
 * number `tile` on */
static void
fill_tiles(const struct wino_tiles *t, int64_t tile, const struct map_value *x,
           const float *dy, const struct work *w, int64_t first, int64_t rows)
{
    for (int64_t i = first; i < first + rows; i++, tile += w->s.columns) {
        const int64_t n = i / w->s.rows, row = i % w->s.rows;
        const struct map_value image = map_value_later(x, n * w->x_image);

        w->lanes->input(t, tile, &image, row, &w->s);
        w->lanes->gradient(t, tile, dy + n * w->y_image, row, &w->s);
    }
}

/* Image by image. */
static void
small_weights(float *partial, const struct map_value *x, const float *dy,
              const struct work *w, int64_t images, float *workspace)
{
    const int64_t of_point = w->s.block * w->s.block;
    float *sums = workspace, *v = sums + small_sums_floats(w);
    struct wino_tiles t = {.v = v, .d = v + small_tiles_floats(w)};

    make_row(&t, w, t.d + small_tiles_floats(w));
    memset(sums, 0, (size_t)small_sums_floats(w) * sizeof(float));
    for (int64_t n = 0; n < images; n++) {
        const struct map_value x_n = map_value_later(x, n * w->x_image);

        w->lanes->small(sums, &t, &x_n, dy + n * w->y_image, &w->s);
    }
    for (int64_t p = 0; p < WINO_POINTS; p++)
        memcpy(partial + p * 4 * of_point, sums + p * of_point,
               (size_t)of_point * sizeof(float));
}

/* Chunk by chunk. */
static void
chunk_weights(float *partial, const struct map_value *x, const float *dy,
              const struct work *w, int64_t images, float *workspace)
{
    const int64_t step = chunk_rows(w, images), end = images * w->s.rows;
    const int64_t most = step * w->s.columns;
    struct wino_tiles t = make_tiles(w, most, workspace);

    make_row(&t, w, workspace + tiles_floats(w, most));
    for (int64_t first = 0; first < end; first += step) {
        const int64_t rows = cpu_at_most(step, end - first);

        fill_tiles(&t, 0, x, dy, w, first, rows);
        t.tiles = rows * w->s.columns;
        w->lanes->multiply(partial, first > 0, &t, k_panels(w), c_panels(w), &w->s);
    }
}

static void
backward_weights(float *partial, const struct map_value *x, const float *dy,
                 const struct conv_shape *conv, int64_t block, int64_t images,
                 float *workspace)
{
    const struct work w = work_of(conv, block);

    if (is_small(&w))
        small_weights(partial, x, dy, &w, images, workspace);
    else
        chunk_weights(partial, x, dy, &w, images, workspace);
}

/* Of du, for one pair of panels. */
static int64_t
pair_floats(const struct work *w)
{
    return WINO_WEIGHTS * 4 * w->s.block * w->s.block;
}

/* ---- partial sums ---------------------------------------------------------------- */

/* A part is a panel of k. */
static int64_t
parts(const struct conv_shape *conv, int64_t block)
{
    return wino_panels_of(conv->k, block);
}

static int64_t
partial_floats(const struct conv_shape *conv, int64_t block)
{
    const struct work w = work_of(conv, block);

    return k_panels(&w).n * c_panels(&w).n * pair_floats(&w);
}

static void
add_grad(float *grad, float *partials, int64_t n, int64_t part,
         const struct conv_shape *conv, int64_t block)
{
    const struct work w = work_of(conv, block);
    const int64_t stride = partial_floats(conv, block), size = stride / k_panels(&w).n;
    float *sum = partials + part * size;

    for (int64_t i = 1; i < n; i++)
        cpu_copy(sum, true, sum + i * stride, size);
    w.lanes->weights(grad, sum, (struct wino_panels){part, 1}, c_panels(&w), &w.s);
}

/* ---- stages ---------------------------------------------------------------------- */

/* Images of which v and d take STAGE_FLOATS: few enough to stay in a level 3 cache, and
 * many enough that du is worth its transform. Where du is small a chunk is enough. */
static int64_t
staged(const struct conv_shape *conv, int64_t block)
{
    const struct work w = work_of(conv, block);
    const int64_t tiles = w.s.rows * w.s.columns;
    const int64_t image = tiles * w.lanes->points * (w.s.c_lanes + w.s.k_lanes);
    const int64_t most =
        conv->c * conv->k > MOST_PAIRS ? STAGE_FLOATS / image : CHUNK_TILES / tiles;

    return most > 0 ? most : 1;
}

static int64_t
stage_tiles(const struct conv_shape *conv, const struct work *w)
{
    return staged(conv, w->s.block) * w->s.rows * w->s.columns;
}

static int64_t
stage_floats(const struct conv_shape *conv, int64_t block)
{
    const struct work w = work_of(conv, block);

    return tiles_floats(&w, stage_tiles(conv, &w));
}

static int64_t
staged_workspace(const struct conv_shape *conv, int64_t block, int64_t images)
{
    const struct work w = work_of(conv, block);
    const int64_t du = PART_PANELS * pair_floats(&w), row = row_floats(&w);
    (void)images;

    return du > row ? du : row;
}

static void
stage(float *to, int64_t at, const struct map_value *x, const float *dy,
      const struct conv_shape *conv, int64_t block, float *workspace)
{
    const struct work w = work_of(conv, block);
    struct wino_tiles t = make_tiles(&w, stage_tiles(conv, &w), to);

    make_row(&t, &w, workspace);
    fill_tiles(&t, at * w.s.rows * w.s.columns, x, dy, &w, 0, w.s.rows);
}

/* Of a panel of k: pieces of c. */
static int64_t
pieces(const struct work *w)
{
    return (c_panels(w).n + PART_PANELS - 1) / PART_PANELS;
}

static int64_t
staged_parts(const struct conv_shape *conv, int64_t block)
{
    const struct work w = work_of(conv, block);

    return k_panels(&w).n * pieces(&w);
}

static void
add_staged(float *grad, const float *from, int64_t images, int64_t part,
           const struct conv_shape *conv, int64_t block, float *workspace)
{
    const struct work w = work_of(conv, block);
    const int64_t first = part % pieces(&w) * PART_PANELS,
                  rest = c_panels(&w).n - first;
    const struct wino_panels k = {part / pieces(&w), 1};
    const struct wino_panels c = {first, rest < PART_PANELS ? rest : PART_PANELS};
    /* which is only read */
    struct wino_tiles t = make_tiles(&w, stage_tiles(conv, &w), (float *)from);

    t.tiles = images * w.s.rows * w.s.columns;
    w.lanes->multiply(workspace, false, &t, k, c, &w.s);
    w.lanes->weights(grad, workspace, k, c, &w.s);
}

/* ---- the kernels ----------------------------------------------------------------- */

/* With fewer channels there is too little to multiply. 8 to 8 channels at 32x32 by the
 * small form: 1.35 times as fast as directly, and 1.5 where x is not stored and all comes
 * from far away (AVX2, Zen 3). */
static bool
suits_either(const struct conv_shape *conv, int64_t block)
{
    const bool pays = conv->stride == 1
                          ? conv->c * conv->k >= 8 * 8
                          : conv->stride == 2 && conv->c * conv->k >= 64 * 64;

    return conv->kernel == 3 && conv->pad == 1 && !conv->plain_x && pays
           && (block == 8 || block == 16);
}

/* du of a slice is read and written more often than v and d of its tiles. */
static bool
pays_to_stage(const struct conv_shape *conv, int64_t block)
{
    const struct work w = work_of(conv, block);
    const int64_t tiles = SLICE * w.s.rows * w.s.columns;

    return conv->c * conv->k > MOST_PAIRS
           || conv->c * conv->k > tiles * (conv->c + conv->k);
}

static bool
suits(const struct conv_shape *conv, int64_t block)
{
    return suits_either(conv, block) && !pays_to_stage(conv, block);
}

static bool
staged_suits(const struct conv_shape *conv, int64_t block)
{
    return suits_either(conv, block) && pays_to_stage(conv, block);
}

const struct conv_kernel wino_backward_weights = {.name = "winograd",
                                                  .pass = CONV_BACKWARD_WEIGHTS,
                                                  .suits = suits,
                                                  .lazy = true,
                                                  .workspace = workspace_of,
                                                  .partial = partial_floats,
                                                  .parts = parts,
                                                  .backward_weights = backward_weights,
                                                  .add_grad = add_grad};

const struct conv_kernel wino_staged_weights = {.name = "winograd, staged",
                                                .pass = CONV_BACKWARD_WEIGHTS,
                                                .suits = staged_suits,
                                                .lazy = true,
                                                .workspace = staged_workspace,
                                                .parts = staged_parts,
                                                .staged = staged,
                                                .stage_floats = stage_floats,
                                                .stage = stage,
                                                .add_staged = add_staged};
