/* wino_weights.c - the gradient of the weights by Winograd's method: chunks of tiles,
 * partial sums, and for which shapes. The vector code is in wino_weights_lanes.inc.
 *
 * A partial sum is du, in which all images of a group are added up; it becomes a
 * gradient once, when the groups are put together. */
#include "worker/engine/cpu/wino_weights.h"

#include <string.h>

#include "worker/engine/cpu/maps.h"

enum {
    CHUNK_TILES = 64, /* which du is read and written once for */
    LINE = 16         /* floats of a cache line */
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
workspace_of(const struct conv_shape *conv, int64_t block, int64_t images)
{
    const struct wino_shape s = shape_of(conv, block);
    const int64_t stride = stride_of(&s, chunk_rows(&s, images) * s.columns);

    return (k_panels(&s).n + c_panels(&s).n) * WINO_POINTS * stride + columns_floats(&s)
           + s.w * block;
}

static struct wino_tiles
make_tiles(const struct wino_shape *s, int64_t images, float *workspace)
{
    struct wino_tiles t = {.v = workspace};

    t.stride = stride_of(s, chunk_rows(s, images) * s->columns);
    t.d = t.v + c_panels(s).n * WINO_POINTS * t.stride;
    t.columns = t.d + k_panels(s).n * WINO_POINTS * t.stride;
    t.zeros = t.columns + columns_floats(s);
    memset(t.columns + columns_floats(s), 0, (size_t)(s->w * s->block) * sizeof(float));
    return t;
}

static void
backward_weights(float *partial, const float *x, const float *dy,
                 const struct conv_shape *conv, int64_t block, int64_t images,
                 float *workspace)
{
    const struct wino_weights_lanes *lanes = lanes_of(block);
    const struct wino_shape s = shape_of(conv, block);
    const int64_t step = chunk_rows(&s, images), end = images * s.rows;
    const int64_t x_image = s.c_lanes * s.h * s.w, y_image = s.k_lanes * s.h * s.w;
    struct wino_tiles t = make_tiles(&s, images, workspace);

    for (int64_t first = 0; first < end; first += step) {
        const int64_t rows = first + step < end ? step : end - first;

        for (int64_t i = 0; i < rows; i++) {
            const int64_t n = (first + i) / s.rows, row = (first + i) % s.rows;

            lanes->input(&t, i * s.columns, x + n * x_image, row, &s);
            lanes->gradient(&t, i * s.columns, dy + n * y_image, row, &s);
        }
        t.tiles = rows * s.columns;
        lanes->multiply(partial, first > 0, &t, k_panels(&s), c_panels(&s), &s);
    }
}

/* ---- partial sums ---------------------------------------------------------------- */

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

/* A part is a panel of k. */
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

/* With 8 channels there is too little to multiply, and with very many the partial sums
 * do not fit into the caches. */
static bool
suits(const struct conv_shape *conv, int64_t block)
{
    return conv->kernel == 3 && conv->stride == 1 && conv->pad == 1 && !conv->plain_x
           && (block == 8 || block == 16) && conv->c * conv->k > 8 * 8
           && conv->c * conv->k <= 256 * 256;
}

const struct conv_kernel wino_backward_weights = {.name = "winograd",
                                                  .pass = CONV_BACKWARD_WEIGHTS,
                                                  .suits = suits,
                                                  .workspace = workspace_of,
                                                  .partial = partial_floats,
                                                  .parts = parts,
                                                  .backward_weights = backward_weights,
                                                  .add_grad = add_grad};
