/* net.c - the memory of a net: parameters, and the blocks that the plan fills. Passes are
 * in net_pass.c, what is read and written between them in net_maps.c.
 *
 * Invariant: all memory is there when net_new returns, and passes allocate nothing, with
 * two exceptions: kernels (and their workspace) for a batch size that was not seen
 * before, and the seed or gain of a map when it is first asked for. */
#include "worker/engine/net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/net_state.h"

enum { ALIGN_FLOATS = 16 };

static int64_t
aligned(int64_t floats)
{
    return (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static int
alloc_block(float **out, int64_t floats, const char *what, struct err *err)
{
    *out = mem_large_alloc((size_t)(floats > 0 ? floats : 1) * sizeof(float));
    if (*out == NULL)
        return err_set(err, ERR_OOM, "%s: no memory for %lld MiB", what,
                       (long long)(floats >> 18));
    return 0;
}

/* ---- parameters ------------------------------------------------------------------ */

struct declare_ctx {
    struct net *net;
    const struct graph_node *node;
};

static void
add_param(void *ctx, const struct op_param *p)
{
    const struct declare_ctx *d = ctx;
    struct net *n = d->net;

    n->params =
        xgrow(n->params, &n->params_capacity, n->n_params + 1, sizeof(*n->params));
    struct net_param *param = &n->params[n->n_params++];

    *param = (struct net_param){
        .name = arena_printf(&n->names, "%s%s", d->node->name, p->suffix),
        .role = p->role,
        .n_dims = p->n_dims,
        .size = 1};
    for (int i = 0; i < p->n_dims; i++) {
        param->dims[i] = p->dims[i];
        param->size *= p->dims[i];
    }
}

/* Fills n->params, and lets each site know where its own begin. */
static void
declare_params(struct net *n)
{
    size_t *first = xcalloc(n->graph->n, sizeof(*first));

    for (size_t i = 0; i < n->graph->n; i++) {
        struct declare_ctx ctx = {n, &n->graph->nodes[i]};
        first[i] = n->n_params;
        op_declare(ctx.node, n->sites[i].x, add_param, &ctx);
    }
    for (size_t i = 0; i < n->graph->n; i++)
        n->sites[i].params = n->params + first[i];
    free(first);
}

static bool
is_trained(const struct net *n)
{
    return n->config.gradients && !n->config.frozen;
}

/* As PyTorch starts a batch norm; everything else is zero. */
static void
set_initial(struct net_param *p)
{
    if (p->role != NET_NORM_WEIGHT && p->role != NET_RUNNING_VAR)
        return;
    for (int64_t i = 0; i < p->size; i++)
        p->value[i] = 1.0f;
}

static int
alloc_params(struct net *n, const int64_t *own, struct err *err)
{
    int64_t own_floats = 0, at = 0;

    for (size_t i = 0; i < n->n_params; i++)
        n->value_floats += aligned(n->params[i].size);
    for (size_t i = 0; i < n->graph->n; i++)
        own_floats += aligned(own[i]);
    const int64_t arrays = is_trained(n) ? 2 : 1;
    n->param_floats = arrays * n->value_floats + own_floats;
    if (alloc_block(&n->param_block, n->param_floats, "parameters", err) < 0)
        return -1;
    for (size_t i = 0; i < n->n_params; i++) {
        struct net_param *p = &n->params[i];
        p->value = n->param_block + at;
        if (is_trained(n) && op_role_is_trained(p->role))
            p->grad = p->value + n->value_floats;
        at += aligned(p->size);
        set_initial(p);
    }
    at = arrays * n->value_floats;
    for (size_t i = 0; i < n->graph->n; i++) {
        n->sites[i].own = n->param_block + at;
        at += aligned(own[i]);
    }
    return 0;
}

struct net_param *
net_params(struct net *n, size_t *count)
{
    *count = n->n_params;
    return n->params;
}

struct net_param *
net_find_param(struct net *n, const char *name)
{
    for (size_t i = 0; i < n->n_params; i++)
        if (strcmp(n->params[i].name, name) == 0)
            return &n->params[i];
    return NULL;
}

void
net_params_changed(struct net *n)
{
    n->params_changed = true;
}

void
net_zero_grads(struct net *n)
{
    assert(is_trained(n));
    memset(n->param_block + n->value_floats, 0,
           (size_t)n->value_floats * sizeof(float));
}

/* ---- making ---------------------------------------------------------------------- */

static void
make_sites(struct net *n)
{
    for (size_t i = 0; i < n->graph->n; i++) {
        const struct graph_node *node = &n->graph->nodes[i];
        struct op_site *s = &n->sites[i];

        s->node = node;
        s->x = &n->graph->nodes[node->in[0]];
        s->backend = n->config.backend;
        s->team = n->config.team;
        s->packing = n->config.packing;
        s->lazy = plan_is_lazy(n->graph, (int)i, n->config.gradients, n->config.keep);
        for (int k = 0; k < node->n_in; k++)
            s->from[k] = &n->sites[node->in[k]];
        s->pass = &n->pass;
    }
    for (int i = 0; i < (int)n->graph->n; i++) {
        const int conv = graph_fused_conv(n->graph, i);
        if (conv < 0)
            continue;
        n->sites[i].conv = &n->sites[conv];
        n->sites[conv].norm = &n->sites[i];
    }
}

/* Lets each site know where its values lie. */
static void
connect_sites(struct net *n)
{
    for (size_t i = 0; i < n->graph->n; i++) {
        struct op_site *s = &n->sites[i];

        s->y = &n->plan.values[i];
        s->dy = &n->plan.grads[i];
        s->scratch[PLAN_FORWARD] = &n->plan.scratch[PLAN_FORWARD][i];
        s->scratch[PLAN_BACKWARD] = &n->plan.scratch[PLAN_BACKWARD][i];
        s->again = n->plan.again;
        for (int k = 0; k < s->node->n_in; k++) {
            s->in[k] = &n->plan.values[s->node->in[k]];
            s->din[k] = &n->plan.grads[s->node->in[k]];
        }
    }
}

/* The head ends where a node wants more images than a slice. A net that is watched has
 * none. */
static int
find_head(const struct net *n)
{
    int head = 0;

    if (n->config.keep == NET_KEEP_WATCHED)
        return 0;

    while (head < (int)n->graph->n && n->sites[head].together == OP_SLICE)
        head++;
    return head;
}

/* Whole slices; a norm as the convolution that does its work. */
static int64_t
images_together(const struct op_site *s, int64_t wanted)
{
    const int64_t slices = (wanted + OP_SLICE - 1) / OP_SLICE;

    if (s->conv != NULL)
        return s->conv->together;
    return slices > 0 ? slices * OP_SLICE : OP_SLICE;
}

/* Opens every op; own[] and scratch[] receive the memory that they need, the latter for
 * each image of a part. */
static int
open_ops(struct net *n, int64_t *own, int64_t *scratch, struct err *err)
{
    const int64_t images = n->config.max_batch;

    for (size_t i = 0; i < n->graph->n; i++) {
        struct op_site *s = &n->sites[i];
        struct op_needs needs = {0};

        if (s->node->op->open != NULL
            && s->node->op->open(s, images, n->config.gradients, &needs, err) < 0)
            return -1;
        own[i] = needs.own;
        s->together = images_together(s, needs.together);
        scratch[i] = (needs.scratch + n->pass.room - 1) / n->pass.room;
    }
    return 0;
}

static int
alloc_pass(struct net *n, struct err *err)
{
    const struct net *lender = n->config.lender;
    const int64_t images = n->config.max_batch, room = n->pass.room;
    const int64_t kept = n->plan.kept * images, transient = n->plan.transient * room;
    const int64_t lent = transient + (n->config.brief ? kept : 0);
    const bool is_lent = lender != NULL && n->config.keep != NET_KEEP_WATCHED
                         && lender->pass_floats >= lent;

    n->pass_floats = kept + transient - (is_lent ? lent : 0);
    if (alloc_block(&n->pass_block, n->pass_floats, "activations", err) < 0)
        return -1;
    n->pass.transient = is_lent ? lender->pass_block : n->pass_block + kept;
    n->pass.kept =
        is_lent && n->config.brief ? lender->pass_block + transient : n->pass_block;
    n->pass.capacity = images;
    return 0;
}

/* Gives every thread a workspace of this size. */
static int
alloc_threads(struct net *n, int64_t workspace, struct err *err)
{
    const int threads = team_threads(n->config.team);
    const int64_t each = aligned(workspace);

    mem_large_free(n->thread_block);
    n->thread_floats = each * threads;
    if (alloc_block(&n->thread_block, n->thread_floats, "workspace", err) < 0)
        return -1;
    for (int t = 0; t < threads; t++)
        n->workspaces[t] = n->thread_block + t * each;
    n->workspace_floats = workspace;
    return 0;
}

float *const *
net_arenas(struct net *n, enum plan_direction direction)
{
    const int64_t each = n->plan.arena * OP_SLICE;
    float *first = n->pass.transient + n->plan.arenas_at[direction] * n->pass.room;

    for (int t = 0; t < team_threads(n->config.team); t++)
        n->arenas[t] = first + t * each;
    return n->arenas;
}

/* Has this net, or NULL, room for what another one's threads need? */
static bool
lends_threads(const struct net *lender, int64_t workspace)
{
    return lender != NULL && lender->threads == lender
           && lender->workspace_floats >= workspace;
}

int
net_prepare(struct net *n, int64_t batch, struct err *err)
{
    int64_t workspace = 0;

    if (n->prepared_batch == batch)
        return 0;
    for (size_t i = 0; i < n->graph->n; i++) {
        struct op_site *s = &n->sites[i];
        if (s->node->op->prepare != NULL
            && s->node->op->prepare(&workspace, s, batch, n->config.gradients, err) < 0)
            return -1;
        if (s->lazy && s->y->size > workspace)
            workspace = s->y->size; /* value_image */
    }
    n->threads = lends_threads(n->config.lender, workspace) ? n->config.lender : n;
    if (n->threads == n && (n->thread_block == NULL || workspace > n->workspace_floats)
        && alloc_threads(n, workspace, err) < 0)
        return -1;
    n->prepared_batch = batch;
    return 0;
}

/* Memory for ops that are open. */
static int
alloc_all(struct net *n, const int64_t *own, const int64_t *scratch, struct err *err)
{
    const struct plan_config config = {.block = n->config.backend->block(),
                                       .head = n->head,
                                       .gradients = n->config.gradients,
                                       .keep = n->config.keep,
                                       .scratch = scratch,
                                       .images = n->pass.room,
                                       .apart = (int64_t)OP_SLICE
                                                * team_threads(n->config.team)};

    n->plan = plan_make(n->graph, &config);
    connect_sites(n);
    if (alloc_params(n, own, err) < 0 || alloc_pass(n, err) < 0
        || net_prepare(n, n->pass.room, err) < 0)
        return -1;
    for (size_t i = 0; i < n->graph->n; i++)
        if (n->sites[i].node->op->begin != NULL)
            n->sites[i].node->op->begin(&n->sites[i]);
    return 0;
}

static int
fill(struct net *n, struct err *err)
{
    int64_t *own = xcalloc(n->graph->n, sizeof(*own));
    int64_t *scratch = xcalloc(n->graph->n, sizeof(*scratch));
    int result = -1;

    make_sites(n);
    declare_params(n);
    if (open_ops(n, own, scratch, err) == 0) {
        n->head = find_head(n);
        result = alloc_all(n, own, scratch, err);
    }
    free(own);
    free(scratch);
    return result;
}

/* Images of a part. */
static int64_t
room_of(const struct net_config *config)
{
    const bool whole = config->gradients || config->keep == NET_KEEP_WATCHED;

    return whole || config->max_batch < NET_PART ? config->max_batch : NET_PART;
}

int
net_new(struct net **out, const struct graph *g, const struct net_config *config,
        struct err *err)
{
    const size_t threads = (size_t)team_threads(config->team);
    struct net *n = xcalloc(1, sizeof(*n));

    assert(config->max_batch >= 1);
    assert(!config->gradients || config->keep != NET_KEEP_WATCHED);
    n->graph = graph_copy(g);
    n->config = *config;
    n->sites = xcalloc(g->n, sizeof(*n->sites));
    n->nodes = xcalloc(g->n, sizeof(*n->nodes));
    n->arenas = xcalloc(threads, sizeof(float *));
    n->workspaces = xcalloc(threads, sizeof(float *));
    n->params_changed = true;
    n->watched = -1;
    n->pass.room = room_of(config);
    if (fill(n, err) < 0) {
        net_free(n);
        return err_wrap(err, "network");
    }
    *out = n;
    return 0;
}

void
net_free(struct net *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->graph->n; i++) {
        struct op_site *s = &n->sites[i];
        if (s->node != NULL && s->node->op->close != NULL)
            s->node->op->close(s);
        mem_large_free(n->nodes[i].seed);
        mem_large_free(n->nodes[i].gain);
    }
    mem_large_free(n->param_block);
    mem_large_free(n->pass_block);
    mem_large_free(n->thread_block);
    plan_release(&n->plan);
    arena_release(&n->names);
    graph_free(n->graph);
    free(n->params);
    free(n->sites);
    free(n->nodes);
    free(n->arenas);
    free(n->workspaces);
    free(n);
}

const struct graph *
net_graph(const struct net *n)
{
    return n->graph;
}

enum net_keep
net_keep(const struct net *n)
{
    return n->config.keep;
}

struct team *
net_team(const struct net *n)
{
    return n->config.team;
}

struct net_memory
net_memory(const struct net *n)
{
    const int64_t unit = (int64_t)sizeof(float), values = n->value_floats * unit;
    const int64_t trained = is_trained(n) ? values : 0;
    const int64_t kept =
        (n->plan.kept + n->plan.for_backward) * n->config.max_batch * unit;
    const int64_t pass = n->pass_floats * unit;

    return (struct net_memory){.weights = values,
                               .gradients = trained,
                               .own = n->param_floats * unit - values - trained,
                               .maps = kept < pass ? kept : pass,
                               .transient = kept < pass ? pass - kept : 0,
                               .seeds = n->seed_floats * unit,
                               .threads = n->thread_floats * unit};
}

int64_t
net_bytes(const struct net *n)
{
    const struct net_memory m = net_memory(n);

    return m.weights + m.gradients + m.own + m.maps + m.transient + m.seeds + m.threads;
}
