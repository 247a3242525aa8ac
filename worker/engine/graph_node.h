#ifndef WORKER_ENGINE_GRAPH_NODE_H
#define WORKER_ENGINE_GRAPH_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/engine/net.h"

/* The inside of a graph, for the engine's own files. Nodes are in execution order: a
 * node's inputs come before it. */
struct op;

enum { NODE_MAX_INPUTS = 2 };

struct graph_node {
    const struct op *op;
    char *name; /* owned; NULL where there are no parameters */
    int in[NODE_MAX_INPUTS];
    int n_in;
    struct graph_shape shape;
    bool plain; /* the value lies in plain (C,H,W) order, not in the backend's blocks */
    union {     /* by op */
        struct {
            int64_t kernel, stride, pad;
        } conv;
        struct {
            int paths;
            enum graph_act act;
        } norm; /* in[1], if there: the residual */
        struct {
            float *mean, *std; /* owned, c values */
        } normalize;
    };
};

struct graph {
    struct graph_node *nodes;
    size_t n, capacity;
    int *masks; /* node of each mask */
    size_t n_masks, masks_capacity;
    int *groups; /* node of each group output */
    size_t n_groups, groups_capacity;
};

/* The node that alone reads this one, which is no group output; -1: none. */
int graph_only_reader(const struct graph *g, int node);

/* In evaluation a norm is one multiplication and addition a channel, so the convolution
 * before it can do it, with residual and activation, while its result is in registers.
 * The convolution that does the work of this node; -1: the node is no norm, or does not
 * follow a convolution, or is not the only one to read it. */
int graph_fused_conv(const struct graph *g, int node);

/* The value of a norm is a simple function of maps that a backward pass needs anyway: it
 * need not be stored where all that read it can compute it as they read, convolutions
 * and norms that add it. How many terms it then has (map_value): its own, and those of a
 * residual that is not stored either; 0: it is stored, because somebody else reads it, is
 * to read it (`keep`), or there would be more than GRAPH_LAZY_TERMS. In evaluation a
 * convolution may do the norm, and then stores what comes out. */
enum { GRAPH_LAZY_TERMS = 7 };
int graph_lazy_terms(const struct graph *g, int node, enum net_keep keep);

/* A deep copy; freed with graph_free. */
struct graph *graph_copy(const struct graph *g);

#endif
