/* net_pass.c - runs a net forward and backward over the slices of a batch.
 *
 * A pass goes node by node, each over the whole batch, where some node needs all of it:
 * batch statistics and parameter gradients. In evaluation no slice needs another, so a
 * slice goes through all nodes at once and stays in cache; what only this slice's thread
 * reads then lies in the arena of the thread. That is for the head of the graph, with
 * large maps and small weights; its tail, with small maps and large weights, goes node by
 * node, so that many images are done for one look at the weights. Both orders compute the
 * same numbers. In evaluation norms are done by the convolutions before them where
 * graph_fused_conv says so.
 *
 * Invariant: nothing here depends on the number of threads but which thread does a task. */
#include <assert.h>
#include <string.h>

#include "worker/engine/net_state.h"
#include "worker/engine/ops/conv.h"
#include "worker/engine/profile.h"

/* ---- measuring ------------------------------------------------------------------- */

static void
enter(const struct op_site *s, enum profile_pass pass, int64_t images, int thread)
{
    if (profile_now == NULL)
        return;
    const struct profile_tag tag = {.node = s->node,
                                    .pass = pass,
                                    .mode = (int)s->pass->mode,
                                    .path = s->pass->path};
    profile_push(thread, &tag, images);
}

/* ---- forward --------------------------------------------------------------------- */

static void
refresh_task(void *ctx, int64_t task, int thread)
{
    struct net *n = ctx;
    struct op_site *s = &n->sites[task];

    if (s->node->op->refresh == NULL)
        return;
    enter(s, PROFILE_PREPARE, 0, thread);
    s->node->op->refresh(s, n->config.gradients, thread);
    profile_leave(thread);
}

static void
before_forward(struct op_site *s)
{
    if (s->node->op->before_forward == NULL)
        return;
    enter(s, PROFILE_FORWARD, 0, 0);
    s->node->op->before_forward(s);
    profile_leave(0);
}

/* Is the work of this node done at another, of this convolution at its norm? */
static bool
is_left_to_norm(const struct op_site *s)
{
    return s->norm != NULL && s->pass->mode == NET_EVAL;
}

/* Is there no value to be made here? */
static bool
is_passed_over(const struct op_site *s)
{
    return is_left_to_norm(s) || op_site_is_lazy(s);
}

static void
forward_images(struct op_site *s, const struct op_slice *images, int thread)
{
    const bool fused = s->conv != NULL && s->pass->mode == NET_EVAL;

    enter(fused ? s->conv : s, PROFILE_FORWARD, images->images, thread);
    s->node->op->forward(s, images, thread);
    profile_leave(thread);
}

static void
forward_task(void *ctx, int64_t task, int thread)
{
    struct op_site *s = ctx;
    const struct op_slice images = op_task_of(s, task, s->pass->batch);

    forward_images(s, &images, thread);
}

/* One node over the whole batch. */
static void
forward_node(struct net *n, int i)
{
    struct op_site *s = &n->sites[i];

    team_run(n->config.team, op_n_tasks(s, n->pass.batch), forward_task, s);
}

/* Lets whoever watches see the value of a node if it is a masked activation. */
static void
show(struct net *n, int node)
{
    for (int i = 0; i < graph_n_masks(n->graph); i++)
        if (n->graph->masks[i] == node) {
            n->watched = i;
            n->watch(n->watch_ctx, i);
        }
    n->watched = -1;
}

/* One slice through the head. */
static void
forward_head_task(void *ctx, int64_t task, int thread)
{
    struct net *n = ctx;
    const struct op_slice slice = op_slice_of(task, n->pass.batch);

    for (int i = 0; i < n->head; i++)
        if (!is_passed_over(&n->sites[i]))
            forward_images(&n->sites[i], &slice, thread);
}

static void
start_forward(struct net *n, enum net_mode mode, int path)
{
    n->pass.mode = mode;
    n->pass.raw = mode == NET_TRAIN;
    n->pass.path = path;
    for (size_t i = 0; i < n->graph->n; i++)
        n->nodes[i].seeded = n->nodes[i].gained = false;
    if (n->params_changed)
        team_run(n->config.team, (int64_t)n->graph->n, refresh_task, n);
    n->params_changed = false;
    n->differentiated = false;
}

static void
set_images(struct net *n, const float *x, int64_t first, int64_t images)
{
    struct err err;
    const int failed = net_prepare(n, images, &err);

    assert(failed == 0); /* kernels for more images were made by net_new */
    n->pass.workspaces = n->threads->workspaces;
    n->pass.arenas = n->pass.mode == NET_EVAL ? net_arenas(n, PLAN_FORWARD) : NULL;
    n->pass.input = x;
    n->pass.first = first;
    n->pass.batch = images;
    n->pass.n_slices = (images + OP_SLICE - 1) / OP_SLICE;
}

/* All nodes over the images that were set. */
static void
forward_nodes(struct net *n)
{
    const int head = n->pass.mode == NET_EVAL ? n->head : 0;

    for (int i = 0; i < head; i++)
        before_forward(&n->sites[i]);
    if (head > 0)
        team_run(n->config.team, n->pass.n_slices, forward_head_task, n);
    for (int i = head; i < (int)n->graph->n; i++) {
        before_forward(&n->sites[i]);
        if (!is_passed_over(&n->sites[i]))
            forward_node(n, i);
        if (n->watch != NULL)
            show(n, i);
    }
}

const float *
net_forward(struct net *n, const float *x, int64_t batch, enum net_mode mode, int path)
{
    const int last = (int)n->graph->n - 1;
    const int64_t part = n->pass.room, image = n->plan.values[0].size;

    assert(batch >= 1 && batch <= n->config.max_batch && path >= 0);
    assert((n->config.gradients && !n->config.frozen) || mode == NET_EVAL);
    start_forward(n, mode, path);
    for (int64_t first = 0; first < batch; first += part) {
        const int64_t rest = batch - first;

        set_images(n, x + first * image, first, rest < part ? rest : part);
        forward_nodes(n);
    }
    n->pass.first = 0;
    n->pass.batch = batch;
    return op_site_all(&n->sites[last], &n->plan.values[last]);
}

/* ---- backward -------------------------------------------------------------------- */

static bool
has_trained_params(const struct graph_node *node)
{
    return node->op->declare != NULL; /* all ops that declare any train some */
}

/* Which nodes' gradients lead to something that is asked for. */
static void
mark_needed(struct net *n, unsigned flags)
{
    for (size_t i = 0; i < n->graph->n; i++) {
        const struct graph_node *node = &n->graph->nodes[i];
        bool needed = (flags & NET_GRAD_PARAMS) && has_trained_params(node);

        if (node->n_in == 0)
            needed = flags & NET_GRAD_INPUT;
        for (int k = 0; k < node->n_in; k++)
            needed = needed || n->nodes[node->in[k]].needed;
        n->nodes[i].needed = needed;
    }
}

/* Does a part of the node's gradient come from outside? */
static bool
is_fed(const struct net *n, int i)
{
    return n->nodes[i].seeded || n->nodes[i].gained || i == (int)n->graph->n - 1;
}

/* From the last node to the first: which gradients exist, and for each writer whether it
 * is the first. */
static void
mark_edges(struct net *n)
{
    const size_t count = n->graph->n;

    for (size_t i = 0; i < count; i++) {
        n->nodes[i].active = is_fed(n, (int)i);
        n->nodes[i].written = i == count - 1; /* dlogits */
    }
    for (size_t i = count; i-- > 0;) {
        struct op_site *s = &n->sites[i];
        for (int k = 0; k < s->node->n_in; k++) {
            struct net_node *x = &n->nodes[s->node->in[k]];

            s->wanted[k] = n->nodes[i].active && x->needed;
            s->accumulate[k] = x->written;
            x->written = x->written || s->wanted[k];
            x->active = x->active || s->wanted[k];
        }
    }
}

static bool
wants_any(const struct op_site *s)
{
    return s->wanted[0] || s->wanted[1];
}

static void
add_gain(const struct op_site *s, const struct net_node *state,
         const struct op_slice *slice, int thread)
{
    const struct map_value y = op_site_value(s, slice, thread);
    const struct map m = op_site_map(s, s->node, slice->images);

    s->backend->gain(op_site_at(s, s->dy, slice, thread),
                     state->written || state->seeded, &y,
                     state->gain + slice->first * m.pixels, &m);
}

/* Completes the gradient of a node's value with what comes from outside. */
static void
add_outside(struct net *n, int i, const struct op_slice *slice, int thread)
{
    const struct net_node *state = &n->nodes[i];
    const struct op_site *s = &n->sites[i];
    const int64_t size = s->dy->size, first = slice->first * size;
    float *dy = op_site_at(s, s->dy, slice, thread);

    if (i == (int)n->graph->n - 1)
        memcpy(dy, n->dlogits + first, (size_t)(slice->images * size) * sizeof(float));
    if (state->seeded)
        s->backend->copy(dy, state->written, state->seed + first, slice->images * size);
    if (state->gained)
        add_gain(s, state, slice, thread);
}

static void
backward_images(struct op_site *s, const struct op_slice *images, int thread)
{
    enter(s, PROFILE_BACKWARD, images->images, thread);
    s->node->op->backward(s, images, thread);
    profile_leave(thread);
}

/* One slice through the head. */
static void
backward_head_task(void *ctx, int64_t task, int thread)
{
    struct net *n = ctx;
    const struct op_slice slice = op_slice_of(task, n->pass.batch);

    for (int i = n->head; i-- > 0;) {
        struct op_site *s = &n->sites[i];
        if (n->nodes[i].active)
            add_outside(n, i, &slice, thread);
        if (wants_any(s))
            backward_images(s, &slice, thread);
    }
}

struct node_task {
    struct net *net;
    int node;
};

static void
outside_task(void *ctx, int64_t task, int thread)
{
    const struct node_task *t = ctx;
    const struct op_slice slice = op_slice_of(task, t->net->pass.batch);

    add_outside(t->net, t->node, &slice, thread);
}

static void
backward_task(void *ctx, int64_t task, int thread)
{
    struct op_site *s = ctx;
    const struct op_slice images = op_task_of(s, task, s->pass->batch);

    backward_images(s, &images, thread);
}

/* One node over the whole batch. */
static void
backward_node(struct net *n, int i)
{
    struct op_site *s = &n->sites[i];
    const struct op *op = s->node->op;

    if (!n->nodes[i].active)
        return;
    if (is_fed(n, i))
        team_run(n->config.team, n->pass.n_slices, outside_task,
                 &(struct node_task){n, i});
    if (op->before_backward != NULL) {
        enter(s, PROFILE_BACKWARD, 0, 0);
        op->before_backward(s);
        profile_leave(0);
    }
    if (wants_any(s))
        team_run(n->config.team, op_n_tasks(s, n->pass.batch), backward_task, s);
    if ((n->pass.flags & NET_GRAD_PARAMS) && op->backward_params != NULL) {
        enter(s, PROFILE_PARAMS, n->pass.batch, 0);
        op->backward_params(s);
        profile_leave(0);
    }
}

/* Parameter gradients read the values of convolutions that left their work to a norm;
 * they take the place of what such norms stored where these are lazy. */
static void
make_values_left_out(struct net *n)
{
    n->pass.arenas = NULL;
    n->pass.raw = true;
    for (int i = 0; i < (int)n->graph->n; i++)
        if (is_left_to_norm(&n->sites[i])) {
            conv_make_ready(&n->sites[i]);
            forward_node(n, i);
        }
}

void
net_backward(struct net *n, const float *dlogits, unsigned flags)
{
    const bool apart = n->pass.mode == NET_EVAL && !(flags & NET_GRAD_PARAMS);
    const int head = apart ? n->head : 0;

    assert(n->config.gradients && n->pass.batch >= 1 && !n->differentiated);
    assert(!n->config.frozen || !(flags & NET_GRAD_PARAMS));
    if (flags & NET_GRAD_PARAMS)
        make_values_left_out(n);
    n->dlogits = dlogits;
    n->pass.flags = flags;
    n->pass.arenas = apart ? net_arenas(n, PLAN_BACKWARD) : NULL;
    mark_needed(n, flags);
    mark_edges(n);
    for (int i = (int)n->graph->n; i-- > head;)
        backward_node(n, i);
    if (head > 0)
        team_run(n->config.team, n->pass.n_slices, backward_head_task, n);
    n->differentiated = true;
}

const float *
net_input_grad(const struct net *n)
{
    return n->pass.kept + n->plan.grads[0].offset * n->pass.capacity;
}
