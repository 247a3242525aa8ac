/* direct.c - direct convolution with few channels: the form of the weights and of the
 * partial sums of their gradient, padding, and for which shapes. The vector code is in
 * direct_lanes.inc.
 *
 * Where there are few channels Winograd's transforms cost more than they save; what is
 * left to do is to keep sums in registers and to read each weight and pixel seldom. */
#include "worker/engine/cpu/direct.h"

#include <string.h>

#include "worker/engine/cpu/maps.h"

/* ---- weights --------------------------------------------------------------------- */

/* Both forms: all lanes of k and c, zero where there is no such channel. */
static int64_t
packed_floats(const struct conv_shape *s, int64_t block)
{
    return cpu_round_up(s->k, block) * cpu_round_up(s->c, block) * s->kernel
           * s->kernel;
}

static float
weight_at(const float *weight, const struct conv_shape *s, int64_t k, int64_t c,
          int64_t tap)
{
    return k < s->k && c < s->c ? weight[(k * s->c + c) * s->kernel * s->kernel + tap]
                                : 0.0f;
}

/* The panel of channels k, k + 1, ... of the forward pass. */
static void
pack_panel(float *packed, const float *weight, const struct conv_shape *s,
           int64_t block, int64_t k, int64_t width)
{
    for (int64_t c = 0; c < cpu_round_up(s->c, block); c++)
        for (int64_t i = 0; i < width; i++)
            *packed++ = weight_at(weight, s, k + i, c, 0);
}

static void
forward_pack(float *packed, const float *weight, const struct conv_shape *s,
             int64_t block, int64_t part, int64_t parts)
{
    const int64_t lanes = cpu_round_up(s->k, block);
    const int64_t panels = (lanes + 2 * block - 1) / (2 * block);

    for (int64_t i = part * panels / parts; i < (part + 1) * panels / parts; i++) {
        const int64_t k = i * 2 * block, rest = lanes - k;

        pack_panel(packed + k * packed_floats(s, block) / lanes, weight, s, block, k,
                   rest < 2 * block ? rest : 2 * block);
    }
}

/* The block of channels c, c + 1, ... of the data gradient. */
static void
pack_block(float *packed, const float *weight, const struct conv_shape *s,
           int64_t block, int64_t c)
{
    for (int64_t r = 0; r < 3; r++)
        for (int64_t k = 0; k < cpu_round_up(s->k, block); k++)
            for (int64_t tap = 3 * r; tap < 3 * r + 3; tap++)
                for (int64_t l = 0; l < block; l++)
                    *packed++ = weight_at(weight, s, k, c + l, tap);
}

static void
data_pack(float *packed, const float *weight, const struct conv_shape *s, int64_t block,
          int64_t part, int64_t parts)
{
    const int64_t lanes = cpu_round_up(s->c, block), blocks = lanes / block;

    for (int64_t i = part * blocks / parts; i < (part + 1) * blocks / parts; i++)
        pack_block(packed + i * packed_floats(s, block) / blocks, weight, s, block,
                   i * block);
}

/* ---- passes ---------------------------------------------------------------------- */

static const struct direct_lanes *
lanes_for(int64_t block)
{
    return block == 16 ? &direct16 : &direct8;
}

/* An image, if it is not stored. */
static int64_t
forward_workspace(const struct conv_shape *s, int64_t block, int64_t images)
{
    (void)images;
    return s->h * s->w * cpu_round_up(s->c, block);
}

static void
forward(float *y, const struct map_value *x, const float *packed,
        const struct conv_after *after, const struct conv_shape *s, int64_t block,
        int64_t images, float *workspace)
{
    const struct direct_lanes *lanes = lanes_for(block);
    const struct conv_out all = {y, false, after};
    const int64_t x_image = cpu_round_up(s->c, block) * s->h * s->w;
    const int64_t y_image = cpu_round_up(s->k, block) * s->p * s->q;

    for (int64_t n = 0; n < images; n++) {
        const struct map_value x_n = map_value_later(x, n * x_image);
        const bool stored = x->n == 0;
        struct conv_after of_image;
        const struct conv_out out = conv_out_at(&all, n * y_image, &of_image);

        if (!stored)
            lanes->make(workspace, &x_n, s);
        lanes->forward(&out, stored ? x_n.at : workspace, packed, s);
    }
}

static int64_t
data_workspace(const struct conv_shape *s, int64_t block, int64_t images)
{
    (void)images;
    return 2 * (DIRECT_STRIP + 1) * cpu_round_up(s->k, block);
}

static void
backward_data(float *dx, bool accumulate, const float *dy, const float *packed,
              const struct conv_shape *s, int64_t block, int64_t images,
              float *workspace)
{
    const struct direct_lanes *lanes = lanes_for(block);
    const int64_t x_image = cpu_round_up(s->c, block) * s->h * s->w;
    const int64_t y_image = cpu_round_up(s->k, block) * s->p * s->q;

    for (int64_t n = 0; n < images; n++) {
        const struct conv_out out = {dx + n * x_image, accumulate, NULL};

        lanes->data(&out, dy + n * y_image, packed, s, workspace);
    }
}

/* ---- gradient of the weights ----------------------------------------------------- */

/* Images over which sums go together. */
static int64_t
images_at_once(const struct conv_shape *s)
{
    const int64_t pixels = s->p * s->q;

    return pixels < DIRECT_PIXELS ? DIRECT_PIXELS / pixels : 1;
}

/* Where x is not stored. */
static int64_t
weights_workspace(const struct conv_shape *s, int64_t block, int64_t images)
{
    (void)images;
    return images_at_once(s) * cpu_round_up(s->c, block) * s->h * s->w;
}

/* n images of x: where they lie, or made in `to` */
static const float *
images_of(float *to, const struct map_value *x, int64_t n, const struct conv_shape *s,
          int64_t block)
{
    const int64_t x_image = cpu_round_up(s->c, block) * s->h * s->w;

    if (x->n == 0)
        return x->at;
    for (int64_t i = 0; i < n; i++) {
        const struct map_value x_i = map_value_later(x, i * x_image);

        lanes_for(block)->make(to + i * x_image, &x_i, s);
    }
    return to;
}

static void
backward_weights(float *partial, const struct map_value *x, const float *dy,
                 const struct conv_shape *s, int64_t block, int64_t images,
                 float *workspace)
{
    const int64_t x_image = cpu_round_up(s->c, block) * s->h * s->w;
    const int64_t y_image = cpu_round_up(s->k, block) * s->p * s->q;
    const int64_t most = images_at_once(s);

    memset(partial, 0, (size_t)packed_floats(s, block) * sizeof(float));
    for (int64_t i = 0; i < images; i += most) {
        const struct map_value x_i = map_value_later(x, i * x_image);
        const int64_t n = images - i < most ? images - i : most;

        lanes_for(block)->weights(partial, images_of(workspace, &x_i, n, s, block),
                                  dy + i * y_image, n, s);
    }
}

/* A part is a panel of k. */
static int64_t
parts(const struct conv_shape *s, int64_t block)
{
    return (cpu_round_up(s->k, block) + 2 * block - 1) / (2 * block);
}

/* grad += the sums of one panel: channels k, k + 1, ..., `width` of them */
static void
add_panel(float *grad, const float *sum, const struct conv_shape *s, int64_t block,
          int64_t k, int64_t width)
{
    const int64_t n = s->kernel, most = s->k - k < width ? s->k - k : width;

    for (int64_t c = 0; c < s->c; c++)
        for (int64_t tap = 0; tap < n * n; tap++) {
            const int64_t row = c / block * n + tap / n;
            const float *from = sum + ((row * block + c % block) * n + tap % n) * width;

            for (int64_t i = 0; i < most; i++)
                grad[((k + i) * s->c + c) * n * n + tap] += from[i];
        }
}

static void
add_grad(float *grad, float *partials, int64_t n, int64_t part,
         const struct conv_shape *s, int64_t block)
{
    const int64_t all = packed_floats(s, block),
                  of_lane = all / cpu_round_up(s->k, block);
    const int64_t k = part * 2 * block, rest = cpu_round_up(s->k, block) - k;
    const int64_t width = rest < 2 * block ? rest : 2 * block;
    float *sum = partials + k * of_lane;

    for (int64_t i = 1; i < n; i++)
        cpu_copy(sum, true, sum + i * all, width * of_lane);
    add_panel(grad, sum, s, block, k, width);
}

/* ---- the kernels ----------------------------------------------------------------- */

/* Where it is faster than oneDNN, and Winograd's method not faster than it. Measured on
 * AVX2 (Zen 3, 1 thread, conv_bench, times as fast as oneDNN) for 8->16 / 16->32 / 32->64
 * channels: data gradient 1.25 / 1.06 / 0.93, weights 1.13 / 1.24 / 1.20. A 1x1 kernel:
 * forward 0.80 / 0.93 / 1.05, but without the pass for what follows, which is worth more;
 * weights 1.15 / 1.14 / 1.06, and 0.91 for 64->128. */
static bool
suits_either(const struct conv_shape *s, int64_t block)
{
    return s->stride == 2 && !s->plain_x && (block == 8 || block == 16);
}

static bool
forward_suits(const struct conv_shape *s, int64_t block)
{
    return suits_either(s, block) && s->kernel == 1 && s->pad == 0
           && s->c * s->k <= 64 * 128;
}

static bool
data_suits(const struct conv_shape *s, int64_t block)
{
    return suits_either(s, block) && s->kernel == 3 && s->pad == 1
           && s->c * s->k <= 16 * 32;
}

const struct conv_kernel direct_forward = {.name = "direct",
                                           .pass = CONV_FORWARD,
                                           .suits = forward_suits,
                                           .lazy = true,
                                           .workspace = forward_workspace,
                                           .packed = packed_floats,
                                           .pack = forward_pack,
                                           .forward = forward};

const struct conv_kernel direct_backward_data = {.name = "direct",
                                                 .pass = CONV_BACKWARD_DATA,
                                                 .suits = data_suits,
                                                 .workspace = data_workspace,
                                                 .packed = packed_floats,
                                                 .pack = data_pack,
                                                 .backward_data = backward_data};

static bool
weights_suit(const struct conv_shape *s, int64_t block)
{
    const bool three = s->kernel == 3 && s->pad == 1 && s->c * s->k < 64 * 64;
    const bool one = s->kernel == 1 && s->pad == 0 && s->c * s->k <= 32 * 64;

    return suits_either(s, block) && (three || one);
}

const struct conv_kernel direct_backward_weights = {.name = "direct",
                                                    .pass = CONV_BACKWARD_WEIGHTS,
                                                    .suits = weights_suit,
                                                    .lazy = true,
                                                    .workspace = weights_workspace,
                                                    .partial = packed_floats,
                                                    .parts = parts,
                                                    .backward_weights =
                                                        backward_weights,
                                                    .add_grad = add_grad};
