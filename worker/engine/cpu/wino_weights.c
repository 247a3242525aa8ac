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
    PART_PANELS = 2, /* of c; with one panel of k du then stays in a level 2 cache */
    LINE = 16        /* floats of a cache line */
};

static const struct wino_weights_lanes *
lanes_of(int64_t block)
{
    return block == 16 ? &wino_weights16 : &wino_weights8;
}

static int64_t
round_up(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

static struct wino_shape
shape_of(const struct conv_shape *conv, int64_t block)
{
    return (struct wino_shape){.c = conv->c,
                               .k = conv->k,
                               .h = conv->h,
                               .w = conv->w,
                               .block = block,
                               .c_lanes = round_up(conv->c, block),
                               .k_lanes = round_up(conv->k, block),
                               .rows = (conv->h + WINO_OUT - 1) / WINO_OUT,
                               .columns = (conv->w + WINO_OUT - 1) / WINO_OUT};
}

/* All panels of k, and of c. */
static struct wino_panels
k_panels(const struct wino_shape *s)
{
    return (struct wino_panels){0, wino_panels_of(s->k_lanes, s->block)};
}

static struct wino_panels
c_panels(const struct wino_shape *s)
{
    return (struct wino_panels){0, wino_panels_of(s->c_lanes, s->block)};
}

/* Floats from point to point: one cache line more than needed, lest all points fall
 * into one set of a cache. */
static int64_t
stride_of(const struct wino_shape *s, int64_t tiles)
{
    return tiles * 2 * s->block + LINE;
}

/* ---- chunks ---------------------------------------------------------------------- */

static int64_t
columns_floats(const struct wino_shape *s)
{
    return (WINO_OUT * s->columns + 2) * WINO_IN * s->block;
}

/* Rows of tiles in a chunk. */
static int64_t
chunk_rows(const struct wino_shape *s, int64_t images)
{
    const int64_t rows = CHUNK_TILES > s->columns ? CHUNK_TILES / s->columns : 1;

    return rows < images * s->rows ? rows : images * s->rows;
}

static int64_t
tiles_floats(const struct wino_shape *s, int64_t tiles)
{
    return (k_panels(s).n + c_panels(s).n) * WINO_POINTS * stride_of(s, tiles);
}

static int64_t
row_floats(const struct wino_shape *s)
{
    return columns_floats(s) + s->w * s->block;
}

static int64_t
workspace_of(const struct conv_shape *conv, int64_t block, int64_t images)
{
    const struct wino_shape s = shape_of(conv, block);

    return tiles_floats(&s, chunk_rows(&s, images) * s.columns) + row_floats(&s);
}

/* v and d of at most that many tiles, one after the other. */
static struct wino_tiles
make_tiles(const struct wino_shape *s, int64_t tiles, float *at)
{
    struct wino_tiles t = {.v = at, .stride = stride_of(s, tiles)};

    t.d = t.v + c_panels(s).n * WINO_POINTS * t.stride;
    return t;
}

/* What the transforms of a row of tiles need. */
static void
make_row(struct wino_tiles *t, const struct wino_shape *s, float *at)
{
    float *zeros = at + columns_floats(s);

    memset(zeros, 0, (size_t)(s->w * s->block) * sizeof(float));
    t->columns = at;
    t->zeros = zeros;
}

/* v and d of rows first, first + 1, ... of tiles of consecutive images, from tile
 * number `tile` on */
static void
fill_tiles(const struct wino_tiles *t, int64_t tile, const float *x, const float *dy,
           const struct wino_shape *s, int64_t first, int64_t rows)
{
    const struct wino_weights_lanes *lanes = lanes_of(s->block);
    const int64_t x_image = s->c_lanes * s->h * s->w,
                  y_image = s->k_lanes * s->h * s->w;

    for (int64_t i = first; i < first + rows; i++, tile += s->columns) {
        const int64_t n = i / s->rows, row = i % s->rows;

        lanes->input(t, tile, x + n * x_image, row, s);
        lanes->gradient(t, tile, dy + n * y_image, row, s);
    }
}

static void
backward_weights(float *partial, const float *x, const float *dy,
                 const struct conv_shape *conv, int64_t block, int64_t images,
                 float *workspace)
{
    const struct wino_shape s = shape_of(conv, block);
    const int64_t step = chunk_rows(&s, images), end = images * s.rows;
    const int64_t most = step * s.columns;
    struct wino_tiles t = make_tiles(&s, most, workspace);

    make_row(&t, &s, workspace + tiles_floats(&s, most));
    for (int64_t first = 0; first < end; first += step) {
        const int64_t rows = first + step < end ? step : end - first;

        fill_tiles(&t, 0, x, dy, &s, first, rows);
        t.tiles = rows * s.columns;
        lanes_of(block)->multiply(partial, first > 0, &t, k_panels(&s), c_panels(&s),
                                  &s);
    }
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
    return parts(conv, block) * wino_panels_of(conv->c, block) * wino_pair(block);
}

static void
add_grad(float *grad, float *partials, int64_t n, int64_t part,
         const struct conv_shape *conv, int64_t block)
{
    const struct wino_shape s = shape_of(conv, block);
    const int64_t stride = partial_floats(conv, block), size = stride / k_panels(&s).n;
    float *sum = partials + part * size;

    for (int64_t i = 1; i < n; i++)
        cpu_copy(sum, true, sum + i * stride, size);
    lanes_of(block)->weights(grad, sum, (struct wino_panels){part, 1}, c_panels(&s),
                             &s);
}

/* ---- stages ---------------------------------------------------------------------- */

/* Images of which v and d take STAGE_FLOATS: few enough to stay in a level 3 cache, and
 * many enough that du is worth its transform. */
static int64_t
staged(const struct conv_shape *conv, int64_t block)
{
    const struct wino_shape s = shape_of(conv, block);
    const int64_t image = s.rows * s.columns * WINO_POINTS * (s.c_lanes + s.k_lanes);

    return image < STAGE_FLOATS ? STAGE_FLOATS / image : 1;
}

static int64_t
stage_tiles(const struct conv_shape *conv, const struct wino_shape *s)
{
    return staged(conv, s->block) * s->rows * s->columns;
}

static int64_t
stage_floats(const struct conv_shape *conv, int64_t block)
{
    const struct wino_shape s = shape_of(conv, block);

    return tiles_floats(&s, stage_tiles(conv, &s));
}

static int64_t
staged_workspace(const struct conv_shape *conv, int64_t block, int64_t images)
{
    const struct wino_shape s = shape_of(conv, block);
    const int64_t du = PART_PANELS * wino_pair(block), row = row_floats(&s);
    (void)images;

    return du > row ? du : row;
}

static void
stage(float *to, int64_t at, const float *x, const float *dy,
      const struct conv_shape *conv, int64_t block, float *workspace)
{
    const struct wino_shape s = shape_of(conv, block);
    struct wino_tiles t = make_tiles(&s, stage_tiles(conv, &s), to);

    make_row(&t, &s, workspace);
    fill_tiles(&t, at * s.rows * s.columns, x, dy, &s, 0, s.rows);
}

/* Of a panel of k: pieces of c. */
static int64_t
pieces(const struct wino_shape *s)
{
    return (c_panels(s).n + PART_PANELS - 1) / PART_PANELS;
}

static int64_t
staged_parts(const struct conv_shape *conv, int64_t block)
{
    const struct wino_shape s = shape_of(conv, block);

    return k_panels(&s).n * pieces(&s);
}

static void
add_staged(float *grad, const float *from, int64_t images, int64_t part,
           const struct conv_shape *conv, int64_t block, float *workspace)
{
    const struct wino_shape s = shape_of(conv, block);
    const struct wino_weights_lanes *lanes = lanes_of(block);
    const int64_t first = part % pieces(&s) * PART_PANELS,
                  rest = c_panels(&s).n - first;
    const struct wino_panels k = {part / pieces(&s), 1};
    const struct wino_panels c = {first, rest < PART_PANELS ? rest : PART_PANELS};
    /* which is only read */
    struct wino_tiles t = make_tiles(&s, stage_tiles(conv, &s), (float *)from);

    t.tiles = images * s.rows * s.columns;
    lanes->multiply(workspace, false, &t, k, c, &s);
    lanes->weights(grad, workspace, k, c, &s);
}

/* ---- the kernels ----------------------------------------------------------------- */

/* With 8 channels there is too little to multiply. */
static bool
suits_either(const struct conv_shape *conv, int64_t block)
{
    return conv->kernel == 3 && conv->stride == 1 && conv->pad == 1 && !conv->plain_x
           && (block == 8 || block == 16) && conv->c * conv->k > 8 * 8;
}

static bool
suits(const struct conv_shape *conv, int64_t block)
{
    return suits_either(conv, block) && conv->c * conv->k <= MOST_PAIRS;
}

static bool
staged_suits(const struct conv_shape *conv, int64_t block)
{
    return suits_either(conv, block) && conv->c * conv->k > MOST_PAIRS;
}

const struct conv_kernel wino_backward_weights = {.name = "winograd",
                                                  .pass = CONV_BACKWARD_WEIGHTS,
                                                  .suits = suits,
                                                  .workspace = workspace_of,
                                                  .partial = partial_floats,
                                                  .parts = parts,
                                                  .backward_weights = backward_weights,
                                                  .add_grad = add_grad};

const struct conv_kernel wino_staged_weights = {.name = "winograd, staged",
                                                .pass = CONV_BACKWARD_WEIGHTS,
                                                .suits = staged_suits,
                                                .workspace = staged_workspace,
                                                .parts = staged_parts,
                                                .staged = staged,
                                                .stage_floats = stage_floats,
                                                .stage = stage,
                                                .add_staged = add_staged};
