#ifndef WORKER_ENGINE_NET_STATE_H
#define WORKER_ENGINE_NET_STATE_H

#include "shared/base/mem.h"
#include "worker/engine/net.h"
#include "worker/engine/ops/op.h"

/* The inside of a net, for net*.c. */

/* Images of a part: without gradients no more go through a net at once, so that no more
 * of them have memory. As many as keep four threads busy where the tasks are largest. */
enum { NET_PART = 128 };

/* What a node is to the last backward pass, and what comes from outside. */
struct net_node {
    bool active;         /* a gradient reaches it */
    bool needed;         /* something before it wants a gradient */
    bool written;        /* a consumer has written its gradient */
    bool seeded, gained; /* these hold a part of its gradient: */
    float *seed;         /* max_batch images as the node's value; made at first use */
    float
        *gain; /* a number for each of their pixels, by which the value is multiplied */
};

struct net {
    struct graph *graph;
    struct net_config config;
    struct plan plan;
    struct op_site *sites;  /* one for each node */
    struct net_node *nodes; /* one for each node */
    struct net_param *params;
    size_t n_params, params_capacity;
    struct arena names;

    float *param_block; /* values | gradients | own memory of the ops */
    int64_t param_floats, value_floats;
    float *pass_block; /* kept | transient */
    int64_t pass_floats;
    float *thread_block; /* for each thread: a workspace */
    int64_t thread_floats, workspace_floats;
    int64_t seed_floats;
    float **workspaces;        /* one for each thread, into thread_block */
    const struct net *threads; /* whose of these it uses: its own, or its lender's */
    float **arenas;            /* one for each thread, see net_arenas */

    int head; /* nodes that evaluation passes run depth first */
    struct op_pass pass;
    int64_t prepared_batch; /* kernels are ready for this number of images */
    bool params_changed;    /* packed copies are stale */
    bool differentiated;    /* the last pass, whose values are used up */
    const float *dlogits;
    net_watch_fn *watch;
    void *watch_ctx;
    int watched; /* the activation that it sees now, or -1 */
};

/* Where a pass in this direction has the arenas of the threads. */
float *const *net_arenas(struct net *n, enum plan_direction direction);

/* Makes kernels and workspace ready for passes over `batch` images. */
MUST_CHECK int net_prepare(struct net *n, int64_t batch, struct err *err);

#endif
