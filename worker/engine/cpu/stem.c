/* stem.c - the first convolution of a network: 3x3, stride 1, padding 1, from plain
 * images of one or three channels to a blocked map. Channels that few fill no vector,
 * so lanes are those of the output and pixels of the image are single numbers; only in
 * the gradient of the data lanes are pixels of a row of dx, for which rows of dy are
 * turned:
 *
 *   forward:  y[k,i,j] = sum_{c,r,s} w[k,c,r,s] x[c,i+r-1,j+s-1]
 *   data:     dx[c,i,j] = sum_{k,r,s} w[k,c,r,s] dy[k,i+1-r,j+1-s]
 *   weights:  dw[k,c,r,s] = sum_{i,j} dy[k,i,j] x[c,i+r-1,j+s-1]
 *
 * The vector code is in stem_lanes.inc. Padding is in the workspace: a copy of the image,
 * or of three rows of dy, with zeros around. */
#include "worker/engine/cpu/stem.h"

#include <string.h>

#include "worker/engine/cpu/maps.h"

static int64_t
lanes_of(const struct conv_shape *s, int64_t block)
{
    return cpu_round_up(s->k, block);
}

static const struct stem_lanes *
lanes_for(int64_t block)
{
    return block == 16 ? &stem16 : &stem8;
}

static bool
suits(const struct conv_shape *s, int64_t block)
{
    return s->plain_x && (s->c == 1 || s->c == 3) && s->kernel == 3 && s->stride == 1
           && s->pad == 1 && (block == 8 || block == 16);
}

/* ---- weights and images ---------------------------------------------------------- */

static int64_t
packed_floats(const struct conv_shape *s, int64_t block)
{
    return lanes_of(s, block) * s->c * STEM_TAPS;
}

/* (blocks of k, c, 3, 3, block), zero in lanes beyond k; little work, so not shared out */
static void
pack(float *packed, const float *weight, const struct conv_shape *s, int64_t block,
     int64_t part, int64_t parts)
{
    const int64_t taps = s->c * STEM_TAPS;
    (void)parts;

    for (int64_t k = part == 0 ? 0 : lanes_of(s, block); k < lanes_of(s, block); k++)
        for (int64_t i = 0; i < taps; i++)
            packed[(k / block * taps + i) * block + k % block] =
                k < s->k ? weight[k * taps + i] : 0.0f;
}

/* The frame that images are put into: all of it is zero, and it stays. */
static void
clear_frame(float *padded, const struct conv_shape *s)
{
    memset(padded, 0, (size_t)(s->c * (s->h + 2) * (s->w + 2)) * sizeof(float));
}

/* padded (c, h + 2, w + 2) = x (c, h, w), but for the frame. Rows are short, so they are
 * copied here. */
static void
fill_frame(float *restrict padded, const float *restrict x, const struct conv_shape *s)
{
    const int64_t w = s->w, row = w + 2;

    for (int64_t c = 0; c < s->c; c++, padded += 2 * row)
        for (int64_t i = 0; i < s->h; i++, padded += row, x += w)
            for (int64_t j = 0; j < w; j++)
                padded[row + 1 + j] = x[j];
}

static int64_t
image_workspace(const struct conv_shape *s, int64_t block, int64_t images)
{
    (void)block, (void)images;
    return s->c * (s->h + 2) * (s->w + 2);
}

/* ---- passes ---------------------------------------------------------------------- */

static void
forward(float *y, const struct map_value *x, const float *packed,
        const struct conv_after *after, const struct conv_shape *s, int64_t block,
        int64_t images, float *workspace)
{
    const int64_t x_image = s->c * s->h * s->w;
    const int64_t y_image = lanes_of(s, block) * s->h * s->w;
    const struct conv_out all = {y, false, after};

    clear_frame(workspace, s);
    for (int64_t n = 0; n < images; n++) {
        struct conv_after of_image;
        const struct conv_out out = conv_out_at(&all, n * y_image, &of_image);

        fill_frame(workspace, x->at + n * x_image, s);
        lanes_for(block)->forward(&out, workspace, packed, s);
    }
}

static int64_t
data_packed(const struct conv_shape *s, int64_t block)
{
    (void)block;
    return s->k * STEM_TAPS * s->c;
}

/* (k, 3, 3, c) */
static void
data_pack(float *packed, const float *weight, const struct conv_shape *s, int64_t block,
          int64_t part, int64_t parts)
{
    (void)block, (void)parts;
    for (int64_t kc = part == 0 ? 0 : s->k * s->c; kc < s->k * s->c; kc++)
        for (int64_t i = 0; i < STEM_TAPS; i++)
            packed[(kc / s->c * STEM_TAPS + i) * s->c + kc % s->c] =
                weight[kc * STEM_TAPS + i];
}

static int64_t
data_workspace(const struct conv_shape *s, int64_t block, int64_t images)
{
    (void)images;
    return 3 * lanes_of(s, block) * stem_turned_width(s);
}

static void
backward_data(float *dx, bool accumulate, const float *dy, const float *packed,
              const struct conv_shape *s, int64_t block, int64_t images,
              float *workspace)
{
    const int64_t x_image = s->c * s->h * s->w;
    const int64_t y_image = lanes_of(s, block) * s->h * s->w;

    for (int64_t n = 0; n < images; n++)
        lanes_for(block)->data(dx + n * x_image, accumulate, dy + n * y_image, packed,
                               s, workspace);
}

/* A partial sum has the layout of packed weights. */
static void
backward_weights(float *partial, const struct map_value *x, const float *dy,
                 const struct conv_shape *s, int64_t block, int64_t images,
                 float *workspace)
{
    const int64_t x_image = s->c * s->h * s->w;
    const int64_t y_image = lanes_of(s, block) * s->h * s->w;

    memset(partial, 0, (size_t)packed_floats(s, block) * sizeof(float));
    clear_frame(workspace, s);
    for (int64_t n = 0; n < images; n++) {
        fill_frame(workspace, x->at + n * x_image, s);
        lanes_for(block)->weights(partial, workspace, dy + n * y_image, s);
    }
}

static int64_t
one_part(const struct conv_shape *s, int64_t block)
{
    (void)s, (void)block;
    return 1;
}

static void
add_grad(float *grad, float *partials, int64_t n, int64_t part,
         const struct conv_shape *s, int64_t block)
{
    const int64_t size = packed_floats(s, block), taps = s->c * STEM_TAPS;
    (void)part;

    for (int64_t i = 1; i < n; i++)
        cpu_copy(partials, true, partials + i * size, size);
    for (int64_t k = 0; k < s->k; k++)
        for (int64_t i = 0; i < taps; i++)
            grad[k * taps + i] += partials[(k / block * taps + i) * block + k % block];
}

const struct conv_kernel stem_forward = {.name = "stem",
                                         .pass = CONV_FORWARD,
                                         .suits = suits,
                                         .workspace = image_workspace,
                                         .packed = packed_floats,
                                         .pack = pack,
                                         .forward = forward};

const struct conv_kernel stem_backward_data = {.name = "stem",
                                               .pass = CONV_BACKWARD_DATA,
                                               .suits = suits,
                                               .workspace = data_workspace,
                                               .packed = data_packed,
                                               .pack = data_pack,
                                               .backward_data = backward_data};

const struct conv_kernel stem_backward_weights = {.name = "stem",
                                                  .pass = CONV_BACKWARD_WEIGHTS,
                                                  .suits = suits,
                                                  .workspace = image_workspace,
                                                  .partial = packed_floats,
                                                  .parts = one_part,
                                                  .backward_weights = backward_weights,
                                                  .add_grad = add_grad};
