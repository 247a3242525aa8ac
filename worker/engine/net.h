#ifndef WORKER_ENGINE_NET_H
#define WORKER_ENGINE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/engine/backend.h"
#include "worker/engine/graph.h"
#include "worker/engine/team.h"

/*
 * A graph with memory: planned once, allocated once, then run for ever without
 * allocating. One block holds parameters and their gradients, one holds activations and
 * workspace. Parameters are kept in PyTorch's plain layouts; activations in the
 * backend's blocked layout (net_map). Results do not depend on the number of threads.
 */
struct net;

/* Which inner values are stored as maps until the next pass. Without gradients the others
 * share memory; with gradients they may not be stored at all, and are computed when they
 * are asked for one image at a time. */
enum net_keep {
    NET_KEEP_MAPS,    /* net_act_map, net_group_map */
    NET_KEEP_GROUPS,  /* net_group_map */
    NET_KEEP_WATCHED, /* none, but net_watch sees them; without gradients */
    NET_KEEP_LOGITS,  /* none */
};

/* Weights are packed for the kernels into several times their size. Where a pass has work
 * enough for them the large copies can be made anew each time, in memory that is free
 * then, which takes some percent of the pass. The numbers are the same. */
enum net_packing {
    NET_PACK_KEPT,   /* once for each version of the weights */
    NET_PACK_LATE,   /* for each pass */
    NET_PACK_LATEST, /* also smaller copies, for which evaluation goes node by node */
};

struct net_config {
    const struct backend *backend;
    struct team *team; /* borrowed */
    int64_t max_batch;
    bool gradients; /* false: evaluation only */
    bool frozen; /* with gradients: of the input alone, in evaluation, for attacks; the
                       parameters have no memory for gradients */
    enum net_keep keep;
    enum net_packing packing;
    /* A pass of this net may overwrite the activations of that one, of the same team,
     * which must live longer: it works in their memory where there is enough of it. NULL:
     * it has memory of its own. A net that is watched takes workspaces alone, so that it
     * can be compared with the last pass of the lender. */
    struct net *lender;
    bool brief; /* what is kept lies there, too, until the lender's next pass */
};

MUST_CHECK int net_new(struct net **out, const struct graph *g, /* copied */
                       const struct net_config *config, struct err *err);
void net_free(struct net *n);
const struct graph *net_graph(const struct net *n);
enum net_keep net_keep(const struct net *n);
/* Borrowed: what the net's passes run on, for who works on its maps between them. */
struct team *net_team(const struct net *n);
int64_t net_bytes(const struct net *n); /* memory held: the sum of */

/* Bytes by what they are for. What another net lends is that net's. */
struct net_memory {
    int64_t weights;   /* values of the parameters */
    int64_t gradients; /* of the parameters, in their momentum */
    int64_t own;       /* packed weights that are kept, masks, lanes of norms */
    int64_t maps;      /* values that are kept from pass to pass */
    int64_t transient; /* other values, gradients of maps, scratch, arenas of threads */
    int64_t seeds;     /* and gains, of maps whose gradients come from outside */
    int64_t threads;   /* their workspaces */
};
struct net_memory net_memory(const struct net *n);

/* ---- parameters ------------------------------------------------------------------ */

enum net_role {
    NET_CONV_WEIGHT,   /* (K,C,R,S) */
    NET_LINEAR_WEIGHT, /* (K,C) */
    NET_LINEAR_BIAS,   /* (K) */
    NET_NORM_WEIGHT,   /* (C) */
    NET_NORM_BIAS,     /* (C) */
    NET_RUNNING_MEAN,  /* (C), not trained */
    NET_RUNNING_VAR,   /* (C), not trained */
    NET_BATCHES,       /* (), number of updates, not trained; value[0] as a float */
};

struct net_param {
    const char *name;
    enum net_role role;
    int64_t dims[4];
    int n_dims;
    int64_t size;
    float *value;
    /* One array: net_backward adds to it, and between the steps of an optimiser it is the
     * momentum (optim.h). NULL when not trained or without gradients. */
    union {
        float *grad, *momentum;
    };
};

/* In state_dict order (order of the graph). */
struct net_param *net_params(struct net *n, size_t *count);
struct net_param *net_find_param(struct net *n, const char *name);

/* To be called after values were changed from outside (loaded, initialised). The
 * optimiser calls it. Packed copies of weights are refreshed at the next pass. */
void net_params_changed(struct net *n);

/* For passes that no optimiser begins. */
void net_zero_grads(struct net *n);

/* ---- masks ----------------------------------------------------------------------- */

/* mask: (C,H,W) bytes 0 (identity) or 1 (ReLU). */
void net_set_mask(struct net *n, int index, const uint8_t *mask);
void net_get_mask(const struct net *n, int index, uint8_t *mask);

/* ---- passes ---------------------------------------------------------------------- */

enum net_mode {
    NET_TRAIN, /* batch statistics, running statistics are updated */
    NET_EVAL,  /* running statistics */
};

/* Runs x (batch, C, H, W), plain NCHW. Returns logits (batch, classes), valid until the
 * next forward. path: which batch norm of those with several. Activations stay for
 * net_backward, and what is kept (enum net_keep) until the next forward. */
const float *net_forward(struct net *n, const float *x, int64_t batch,
                         enum net_mode mode, int path);

enum net_grad {
    NET_GRAD_PARAMS = 1, /* accumulates (+=) into net_param.grad */
    NET_GRAD_INPUT = 2,  /* overwrites net_input_grad */
};

/* Differentiates the last forward (train or eval mode) for dlogits (batch, classes)
 * and the seeds set by net_seed. flags: enum net_grad. Needs config.gradients. May be
 * called once for each forward. */
void net_backward(struct net *n, const float *dlogits, unsigned flags);

/* d/dx of the last NET_GRAD_INPUT backward: (batch, C, H, W), plain. */
const float *net_input_grad(const struct net *n);

/* ---- inner values ---------------------------------------------------------------- */

/* An activation as it lies in memory: (batch, ceil(c/block), h, w, block); lanes beyond
 * c are zero. Two nets of one backend have the same layout, so elementwise work on
 * whole maps needs no indices. */
struct net_map {
    float *data;
    int64_t c, h, w, block;
    int64_t per_image; /* floats of one image, padding included */
};

/* Output of masked activation `index` (after the ReLU), or of group output `index`, of
 * the last forward. With gradients data is NULL where it is not stored, and what is not
 * kept is used up by net_backward. */
struct net_map net_act_map(struct net *n, int index);
struct net_map net_group_map(struct net *n, int index);

/* One image of such a map, stored or not: where it lies, or made in memory of this thread
 * of the team, until the thread asks for another one of the same net, or a pass. */
const float *net_act_image(const struct net *n, int index, int64_t image, int thread);
const float *net_group_image(const struct net *n, int index, int64_t image, int thread);

/* Of a net with NET_KEEP_WATCHED: from now on fn is called in each forward whenever masked
 * activation `index` of the whole batch has been computed, which net_act_image then
 * gives, until it returns. It must not run this net. NULL: not any more. */
typedef void net_watch_fn(void *ctx, int index);
void net_watch(struct net *n, net_watch_fn *fn, void *ctx);

/* Gradient of the loss with respect to such a map, zeroed at first use after a forward,
 * same layout, added to by the caller before net_backward. */
struct net_map net_act_seed(struct net *n, int index);
struct net_map net_group_seed(struct net *n, int index);

/* A gradient with respect to a group output that is, at each pixel, a number times the
 * map itself: (batch, h, w), zeroed and added to as a seed, but that much smaller. */
float *net_group_gain(struct net *n, int index);

/* Plain (C,H,W) copy of one image's worth of blocked floats, and back. */
void net_map_to_plain(const struct net_map *layout, const float *blocked, float *plain);

#endif
