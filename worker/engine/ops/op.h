#ifndef WORKER_ENGINE_OPS_OP_H
#define WORKER_ENGINE_OPS_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/backend_table.h"
#include "worker/engine/graph_node.h"
#include "worker/engine/net.h"
#include "worker/engine/plan.h"
#include "worker/engine/team.h"

/*
 * An op: what a node of a graph does. The batch is cut into slices of OP_SLICE images,
 * whatever the number of threads. A slice runs through an op alone, or with its
 * neighbours where the op is better at many images; an image's values never depend on the
 * images beside it. What needs the whole batch (batch statistics, weight gradients) has
 * functions of its own that share out their work with team_run and combine partial
 * results of slices in a fixed order.
 */
enum { OP_SLICE = 8 };

/* Images that lie one after the other: a slice, or some slices. */
struct op_slice {
    int64_t index, first, images;
};

/* The pass that runs now; the same for all nodes. */
struct op_pass {
    enum net_mode mode;
    int path;
    unsigned flags; /* enum net_grad */
    int64_t batch, n_slices;
    bool raw;             /* convolutions have stored what they compute, not what a norm
                             that they do made of it */
    const float *input;   /* the caller's images */
    float *const *arenas; /* of each thread: one slice of what plan.h puts there; NULL:
                             `transient` holds the whole batch of it */
    float *kept, *transient;
    int64_t capacity, room; /* images that these two hold: max_batch; those of a part */
    int64_t first; /* where in `kept` the images of this pass begin: it may be a part of
                      what the caller has asked for */
    float *const *workspaces; /* of each thread */
};

/* Where an op's memory and neighbours are: all that it may touch. */
struct op_site {
    const struct graph_node *node;
    const struct graph_node *x;                  /* node of the first input */
    const struct op_site *from[NODE_MAX_INPUTS]; /* sites of the inputs */
    const struct backend *backend;
    struct team *team;
    enum net_packing packing;
    const struct op_pass *pass;
    const struct op_site *conv; /* of a norm: the convolution that does its work in
                                   evaluation (graph_fused_conv), or NULL */
    const struct op_site
        *norm;                /* of that convolution: the norm, for which it also takes
                                   statistics in training */
    bool lazy;                /* see plan_is_lazy */
    struct net_param *params; /* this node's, in the order of declare */
    void *state;              /* made by open */
    float *own;               /* needs.own floats for ever */
    int64_t together;         /* images of a task, at most: a multiple of OP_SLICE */
    const struct plan_buffer *y, *dy;
    const struct plan_buffer *in[NODE_MAX_INPUTS], *din[NODE_MAX_INPUTS];
    const struct plan_buffer *scratch[PLAN_DIRECTIONS];
    const struct plan_buffer *again;  /* see struct plan */
    bool wanted[NODE_MAX_INPUTS];     /* this backward needs din */
    bool accumulate[NODE_MAX_INPUTS]; /* din holds another consumer's part already */
};

/* Memory in floats. */
struct op_needs {
    int64_t own;      /* for this node alone */
    int64_t scratch;  /* while the op runs, forward or backward */
    int64_t together; /* not memory: images that it likes to be given; 0: any number */
};

struct op_param {
    const char *suffix; /* ".weight" */
    enum net_role role;
    int64_t dims[4];
    int n_dims;
};
typedef void op_declare_fn(void *ctx, const struct op_param *p);

struct op {
    const char *name;
    /* All members below are optional but forward; value where there are lazy nodes. */

    /* Tells the parameters in state_dict order. */
    void (*declare)(const struct graph_node *node, const struct graph_node *x,
                    op_declare_fn *add, void *ctx);
    /* Multiply-adds of one image. */
    int64_t (*macs)(const struct graph_node *node, const struct graph_node *x);
    /* Makes state and kernels for at most max_batch images. */
    MUST_CHECK int (*open)(struct op_site *s, int64_t max_batch, bool gradients,
                           struct op_needs *needs, struct err *err);
    void (*close)(struct op_site *s);
    /* Once own memory is there. */
    void (*begin)(struct op_site *s);
    /* Before the first pass over another number of images: kernels for its slices.
     * Returns the workspace in floats that a thread needs. May allocate. */
    MUST_CHECK int (*prepare)(int64_t *workspace, struct op_site *s, int64_t batch,
                              bool gradients, struct err *err);

    /* After the parameters changed: renews copies of them. Nodes do it side by side. */
    void (*refresh)(struct op_site *s, bool gradients, int thread);

    void (*before_forward)(struct op_site *s);
    /* Of a value that is not stored: what it is made of. */
    struct map_value (*value)(const struct op_site *s, const struct op_slice *slice,
                              int thread);
    void (*forward)(struct op_site *s, const struct op_slice *slice, int thread);
    void (*before_backward)(struct op_site *s);
    /* Gradients of the wanted inputs. */
    void (*backward)(struct op_site *s, const struct op_slice *slice, int thread);
    /* Adds to the parameters' gradients. */
    void (*backward_params)(struct op_site *s);
};

/* NULL-terminated; one line in registry.c for each. */
extern const struct op *const ops[];
extern const struct op op_input, op_normalize, op_block, op_conv, op_norm, op_add,
    op_pool, op_linear;

/* op->declare, or nothing. */
void op_declare(const struct graph_node *node, const struct graph_node *x,
                op_declare_fn *add, void *ctx);
bool op_role_is_trained(enum net_role role);

/* Where the slice begins in a buffer of this pass; NULL for a buffer of size 0. */
float *op_site_at(const struct op_site *s, const struct plan_buffer *b,
                  const struct op_slice *slice, int thread);

/* Is the node's value, as of the pass that runs, not stored? */
bool op_site_is_lazy(const struct op_site *s);

/* The node's value, stored or not. */
struct map_value op_site_value(const struct op_site *s, const struct op_slice *slice,
                               int thread);

/* Where a buffer begins for all images; only of kept buffers, or in passes without
 * arenas. */
float *op_site_all(const struct op_site *s, const struct plan_buffer *b);

/* What the op has while it runs in this direction; forward for the second time, without
 * its norm, it has plan's `again`. */
float *op_site_scratch(const struct op_site *s, enum plan_direction direction);

/* A node's value in a slice, as the kernels see it. */
struct map op_site_map(const struct op_site *s, const struct graph_node *node,
                       int64_t images);

struct op_slice op_slice_of(int64_t index, int64_t batch);

/* How a node on its own shares out the batch: whole slices, as evenly as can be, at most
 * s->together images a task; more tasks where threads would have none. */
int64_t op_n_tasks(const struct op_site *s, int64_t batch);
struct op_slice op_task_of(const struct op_site *s, int64_t index, int64_t batch);

#endif
