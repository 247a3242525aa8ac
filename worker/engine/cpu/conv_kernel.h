#ifndef WORKER_ENGINE_CPU_CONV_KERNEL_H
#define WORKER_ENGINE_CPU_CONV_KERNEL_H

#include "worker/engine/backend_table.h"

/* Grows when a kernel's results change by as much as a bit. */
#define CONV_KERNEL_VERSION 11

/*
 * One way to compute one pass of a convolution on blocked maps (block 8 or 16), written
 * here because the library does it badly. A kernel has no state: all that it needs
 * follows from the shape. Which kernel computes a pass is decided by conv_kernel_find
 * from shape, pass and block alone, never by timing, so that a job that is resumed
 * elsewhere on the same instruction set goes on with the same bits.
 *
 * Functions are run by one thread for some images that lie one after the other. Only
 * those of the kernel's pass are there. Sizes are in floats.
 */
struct conv_kernel {
    const char *name;
    enum conv_pass pass;
    /* Whether it computes this shape, and better than the library. */
    bool (*suits)(const struct conv_shape *s, int64_t block);
    bool lazy; /* reads any value of x; otherwise x->n is 0 */
    int64_t (*workspace)(const struct conv_shape *s, int64_t block, int64_t images);

    /* CONV_FORWARD and CONV_BACKWARD_DATA: images that it should be given in a call, lest
     * it read its weights too often. The engine gives at most that many, rounded up to
     * slices of 8; a number above 8 costs the depth-first order of evaluation passes
     * from this layer on. NULL: 8 will do. An image's result must not depend on the
     * others. */
    int64_t (*together)(const struct conv_shape *s, int64_t block);

    /* The same passes: their form of the weights (k,c,r,s), aligned to 16 bytes, and
     * `part` of `parts` shares of the work of making it, of which some may be empty. */
    int64_t (*packed)(const struct conv_shape *s, int64_t block);
    void (*pack)(float *packed, const float *weight, const struct conv_shape *s,
                 int64_t block, int64_t part, int64_t parts);

    /* y = after(conv(x)); after may be NULL */
    void (*forward)(float *y, const struct map_value *x, const float *packed,
                    const struct conv_after *after, const struct conv_shape *s,
                    int64_t block, int64_t images, float *workspace);
    void (*backward_data)(float *dx, bool accumulate, const float *dy,
                          const float *packed, const struct conv_shape *s,
                          int64_t block, int64_t images, float *workspace);

    /* CONV_BACKWARD_WEIGHTS: one partial sum, in the kernel's own form, and its addition
     * to the plain gradient (k,c,r,s). parts: into how many tasks the latter is cut. */
    int64_t (*partial)(const struct conv_shape *s, int64_t block);
    int64_t (*parts)(const struct conv_shape *s, int64_t block);
    void (*backward_weights)(float *partial, const struct map_value *x, const float *dy,
                             const struct conv_shape *s, int64_t block, int64_t images,
                             float *workspace);
    /* grad += the sum of n partials, in order; `part` of all the parts. May overwrite
     * the partials. */
    void (*add_grad)(float *grad, float *partials, int64_t n, int64_t part,
                     const struct conv_shape *s, int64_t block);

    /* CONV_BACKWARD_WEIGHTS where partial sums would be larger than the maps, instead of
     * the three functions above but parts. A stage holds x and dy of `staged` images in
     * the kernel's own form; every part reads all of it and adds to its own piece of the
     * gradient. The number of images is a matter of shape and block alone. */
    int64_t (*staged)(const struct conv_shape *s, int64_t block);
    int64_t (*stage_floats)(const struct conv_shape *s, int64_t block);
    /* Makes image number `at` of the stage ready. */
    void (*stage)(float *stage, int64_t at, const struct map_value *x, const float *dy,
                  const struct conv_shape *s, int64_t block, float *workspace);
    /* grad += the gradient of the first `images` of the stage; `part` of all the parts */
    void (*add_staged)(float *grad, const float *stage, int64_t images, int64_t part,
                       const struct conv_shape *s, int64_t block, float *workspace);
};

/* Where the results of a kernel go. `after` may be NULL. */
struct conv_out {
    float *at;
    bool accumulate;
    const struct conv_after *after;
};

/* The part of `out` that begins `at` floats further, in an image of its own; `after` is
 * where its own copy of what follows goes. */
static inline struct conv_out
conv_out_at(const struct conv_out *out, int64_t at, struct conv_after *after)
{
    struct conv_out part = {out->at + at, out->accumulate, NULL};

    if (out->after == NULL)
        return part;
    *after = *out->after;
    if (after->residual != NULL)
        after->residual += at;
    part.after = after;
    return part;
}

/* NULL-terminated; the first that suits is taken. */
extern const struct conv_kernel *const conv_kernels[];

/* NULL: the library does it. */
const struct conv_kernel *conv_kernel_find(const struct conv_shape *s,
                                           enum conv_pass pass, int64_t block);

#endif
