#ifndef WORKER_ENGINE_BACKEND_TABLE_H
#define WORKER_ENGINE_BACKEND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

/*
 * The kernels under the ops: the inside of struct backend. A kernel works on one slice of
 * the batch (`images` images that lie one after the other), is run by one thread, and
 * gets all memory from its caller. Outputs come first, then inputs, then shapes, then
 * workspace. What "accumulate" says of an output: true adds to it, false overwrites it.
 */

/* A blocked map: (images, ceil(c/block), pixels, block), lanes beyond c are zero. A plain
 * map is one of block 1. */
struct map {
    int64_t images, c, pixels, block;
};

static inline int64_t
map_blocks(const struct map *m)
{
    return (m->c + m->block - 1) / m->block;
}

static inline int64_t
map_size(const struct map *m)
{
    return m->images * map_blocks(m) * m->pixels * m->block;
}

/* Convolution: x (c,h,w) -> y (k,p,q), square kernel, zero padding, no bias. */
struct conv_shape {
    int64_t c, h, w, k, p, q;
    int64_t kernel, stride, pad;
    bool plain_x; /* x and dx are plain maps, y and dy always blocked */
    bool lazy_x;  /* x may be a value with terms */
};

/* Of the activation after a norm: z > low ? z : low. */
enum norm_act { NORM_LINEAR, NORM_RELU, NORM_MASKED };

/* How a norm treats a map. Arrays have a value for each lane: padded c floats. */
struct norm_pass {
    enum norm_act act;
    const float *low; /* NORM_MASKED: one image, 0 where ReLU, -inf where identity */
    const float *mean, *scale, *shift; /* z = (x - mean) * scale + shift + residual */
};

/* A map that need not be stored: where there are terms, it is computed where it is read,
 *
 *   v_0 = act((x_0 - mean) * scale + shift + at),  v_i = act((x_i - ...) ... + v_{i-1})
 *
 * and v_{n-1} is its value. A stored one (n = 0) lies at `at`; with terms `at` may be
 * NULL for 0. All maps have the same shape. The bits are the same as if v_0, v_1, ...
 * were stored one after the other. */
enum { MAP_TERMS = 8 };

struct map_term {
    const float *x;
    const struct norm_pass *norm;
};

struct map_value {
    const float *at;
    int n;
    struct map_term terms[MAP_TERMS];
};

/* The same of a later image; floats: from where it was to there. */
static inline struct map_value
map_value_later(const struct map_value *v, int64_t floats)
{
    struct map_value later = *v;

    if (v->at != NULL)
        later.at += floats;
    for (int i = 0; i < v->n; i++)
        later.terms[i].x += floats;
    return later;
}

/* What may follow a convolution in the same touch of memory:
 * y = act(conv(x) * scale + shift + residual). */
struct conv_after {
    const float *scale, *shift; /* a value for each lane of y: padded k floats */
    const float *residual;      /* as y, or NULL */
    enum norm_act act;
    const float *low; /* see norm_pass */
};

enum conv_pass { CONV_FORWARD, CONV_BACKWARD_DATA, CONV_BACKWARD_WEIGHTS, CONV_PASSES };

/* What a convolution needs, in floats. */
struct conv_sizes {
    int64_t packed[2]; /* weights as CONV_FORWARD, CONV_BACKWARD_DATA read them; 0: they
                          read the plain ones */
    int64_t partial;   /* one partial sum of the weight gradient */
    int64_t parts;     /* tasks of conv_add_grad or conv_add_staged */
    int64_t staged;    /* not floats: images in a stage; 0: there are partial sums, else
                          there are none */
    int64_t stage;     /* a stage */
    int64_t together;  /* not floats: images that conv_forward and conv_backward_data
                          should be given in a call; 0: any number */
};

/* Where a gradient goes: nowhere if `at` is NULL. */
struct grad_to {
    float *at;
    bool accumulate;
};

/* What a norm's backward pass reads: dy, and the maps of the forward pass. */
struct norm_maps {
    const float *dy, *x;
    struct map_value y;
};

/* What a norm's gradient adds with batch statistics; values for each lane. */
struct norm_pull {
    const float *slope, *shift;
};

struct conv; /* the backend's own */

struct backend {
    const char *name;
    void (*describe)(char *text, size_t size);
    int64_t (*block)(void);

    /* Makes the convolution for `threads` threads; with gradients, all three passes. */
    MUST_CHECK int (*conv_new)(struct conv **out, const struct conv_shape *shape,
                               bool gradients, int threads, struct err *err);
    void (*conv_free)(struct conv *c);
    struct conv_sizes (*conv_sizes)(const struct conv *c);
    /* Makes ready a pass over this number of images; returns its workspace in floats.
     * The only one of these that may allocate. */
    MUST_CHECK int (*conv_prepare)(int64_t *workspace, struct conv *c,
                                   enum conv_pass pass, int64_t images,
                                   struct err *err);
    /* weight (k,c,r,s) plain -> the packed form of CONV_FORWARD or CONV_BACKWARD_DATA;
     * `part` of `parts` shares of the work, of which some may be empty. */
    void (*conv_pack)(struct conv *c, enum conv_pass pass, float *packed,
                      const float *weight, int64_t part, int64_t parts, int thread);
    /* after may be NULL: y = conv(x). Here and in conv_backward_data an image's result
     * does not depend on the images that are computed with it. */
    void (*conv_forward)(struct conv *c, float *y, const struct map_value *x,
                         const float *packed, const struct conv_after *after,
                         int64_t images, float *workspace, int thread);
    void (*conv_backward_data)(struct conv *c, float *dx, bool accumulate,
                               const float *dy, const float *packed, int64_t images,
                               float *workspace, int thread);
    /* Overwrites `partial` with the weight gradient of these images. */
    void (*conv_backward_weights)(struct conv *c, float *partial,
                                  const struct map_value *x, const float *dy,
                                  int64_t images, float *workspace, int thread);
    /* grad (k,c,r,s) += the sum of n partials, in order; `part` of all the parts.
     * Overwrites the first partial. */
    void (*conv_add_grad)(struct conv *c, float *grad, float *partials, int64_t n,
                          int64_t part, int thread);
    /* Without partial sums: makes ready x and dy of one image, as image `at` of a stage,
     * and grad (k,c,r,s) += the gradient of the first `images` of a stage, `part` of all
     * the parts. Both are optional, see sizes.staged. */
    void (*conv_stage)(struct conv *c, float *stage, int64_t at,
                       const struct map_value *x, const float *dy, float *workspace,
                       int thread);
    void (*conv_add_staged)(struct conv *c, float *grad, const float *stage,
                            int64_t images, int64_t part, float *workspace, int thread);

    /* y (images,k) = x (images,stride >= c) w^T + b, with w (k,c) */
    void (*linear)(float *y, const float *x, const float *w, const float *b,
                   int64_t images, int64_t k, int64_t c, int64_t stride);
    /* dx = dy w; lanes beyond c become zero */
    void (*linear_backward_data)(float *dx, bool accumulate, const float *dy,
                                 const float *w, int64_t images, int64_t k, int64_t c,
                                 int64_t stride);
    /* dw += dy^T x, db += column sums of dy */
    void (*linear_backward_weights)(float *dw, float *db, const float *x,
                                    const float *dy, int64_t images, int64_t k,
                                    int64_t c, int64_t stride);

    /* mean and m2 (sum of squared distances to that mean) of each lane over the slice */
    void (*norm_stats)(double *mean, double *m2, const float *x, const struct map *m);
    /* y = the value of x: what a norm computes, and those before it that are terms */
    void (*value)(float *y, const struct map_value *x, const struct map *m);
    /* With dz = dy where y > low, else 0: sum of dz, sum of dz * (x - mean), per lane. */
    void (*norm_sums)(double *dz, double *dzx, const struct norm_maps *maps,
                      const struct norm_pass *p, const struct map *m);
    /* dx = scale * dz + slope * (x - mean) + shift (pull NULL: only the first term);
     * dresidual = dz. dx may take the place of x, or of a stored y. */
    void (*norm_grad)(struct grad_to dx, struct grad_to dresidual,
                      const struct norm_maps *maps, const struct norm_pull *pull,
                      const struct norm_pass *p, const struct map *m);

    /* dy = or += gain * y, gain (images, pixels) */
    void (*gain)(float *dy, bool accumulate, const struct map_value *y,
                 const float *gain, const struct map *m);

    /* y = (x - mean[c]) * scale[c] on plain maps; dx = dy * scale[c] */
    void (*normalize)(float *y, const float *x, const float *mean, const float *scale,
                      const struct map *m);
    void (*normalize_grad)(float *dx, bool accumulate, const float *dy,
                           const float *scale, const struct map *m);
    /* y (blocked, as m) <- x (plain); dx (plain) <- dy (blocked) */
    void (*to_blocks)(float *y, const float *x, const struct map *m);
    void (*from_blocks)(float *dx, bool accumulate, const float *dy,
                        const struct map *m);
    /* y[i] = a[i] + b[i]; y[i] = a[i] or y[i] += a[i] */
    void (*add)(float *y, const float *a, const float *b, int64_t n);
    void (*copy)(float *y, bool accumulate, const float *a, int64_t n);
    /* y (images, c lanes) = mean over pixels of x (as m); dx = dy / pixels */
    void (*pool)(float *y, const float *x, const struct map *m);
    void (*pool_grad)(float *dx, bool accumulate, const float *dy, const struct map *m);
};

#endif
