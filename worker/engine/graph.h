#ifndef WORKER_ENGINE_GRAPH_H
#define WORKER_ENGINE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A network as a static list of table ops, built once by a model and then planned and
 * allocated by net.h. A node is an image-shaped value (C,H,W) per sample; the batch is
 * not part of the graph. Building never fails: names, sizes and ids come from our own
 * models and are asserted.
 *
 * Parameter names follow PyTorch's state_dict: a convolution `name` owns `name.weight`
 * (K,C,R,S); a batch norm with one path owns `name.{weight,bias,running_mean,
 * running_var,num_batches_tracked}`, with several paths `name.<path>.{...}` where <path>
 * is BN_c, BN_a (dual) or BN_c, BN_r, BN_a (triple); a linear layer `name.weight` (K,C)
 * and `name.bias` (K).
 */
struct graph;

enum { GRAPH_MAX_PATHS = 3 };

struct graph_shape {
    int64_t c, h, w;
};

/* Starts a graph whose input is a (c,h,w) image in plain NCHW order. */
struct graph *graph_new(int64_t c, int64_t h, int64_t w);
void graph_free(struct graph *g);

/* Node of the input image. */
int graph_input(struct graph *g);

/* y = (x - mean[c]) / std[c]; the arrays (c values each) are copied. */
int graph_normalize(struct graph *g, int x, const float *mean, const float *std);

/* Square kernel, no bias, zero padding. */
struct graph_conv {
    const char *name;
    int64_t channels; /* out */
    int64_t kernel, stride, pad;
};
int graph_conv(struct graph *g, int x, const struct graph_conv *conv);

/* What follows a batch norm (or stands alone): out = act(bn(x) + residual). */
enum graph_act {
    GRAPH_LINEAR, /* none */
    GRAPH_RELU,   /* masked: relu(z*m) + z*(1-m); owns the next mask, all ones at first.
                     Masks are numbered in the order in which these nodes are made. */
};

/* Batch normalisation with K paths, fused with residual add and masked ReLU.
 * eps 1e-5, momentum 0.1, running variance unbiased, normalisation biased. */
struct graph_norm {
    const char *name;
    int paths; /* 1, 2 or 3 BN layers; a pass chooses one; 1 path serves every pass */
    int residual; /* node that is added before the activation, or -1 */
    enum graph_act act;
};
int graph_norm(struct graph *g, int x, const struct graph_norm *norm);

/* y = x + other (pre-activation networks). */
int graph_add(struct graph *g, int x, int other);

/* Mean over H and W: (C,H,W) -> (C,1,1). */
int graph_pool(struct graph *g, int x);

/* Fully connected with bias: (C,1,1) -> (classes,1,1). Must be the last node. */
int graph_linear(struct graph *g, int x, const char *name, int64_t classes);

/* Marks x as a group output, in order: what attention-transfer losses compare. */
void graph_group(struct graph *g, int x);

struct graph_shape graph_shape(const struct graph *g, int node);
int graph_n_masks(const struct graph *g);
struct graph_shape graph_mask_shape(const struct graph *g, int mask);
int64_t graph_relus(const struct graph *g); /* sum of C*H*W over masks */
int graph_n_groups(const struct graph *g);
struct graph_shape graph_group_shape(const struct graph *g, int group);
int64_t graph_macs(const struct graph *g);      /* convolutions and linear, one image */
int64_t graph_n_weights(const struct graph *g); /* trainable numbers */

#endif
