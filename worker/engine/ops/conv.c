/* conv.c - convolution with square kernel, zero padding and no bias:
 *
 *   y[n,k,i,j] = sum_{c,r,s} w[k,c,r,s] * x[n, c, i*stride + r - pad, j*stride + s - pad]
 *
 * Weights are read from packed copies in the backend's layout, refreshed when the net's
 * parameters changed, or (net.h, enum net_packing) made right before each pass. The
 * weight gradient is made from at most GROUPS partial sums over consecutive slices, added
 * up in order; how many there are depends on the batch only. Where there are so many
 * channels that sums are larger than maps, it is instead made piece by piece from a stage
 * that holds the maps of many images. */
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/engine/ops/conv.h"
#include "worker/engine/ops/norm.h"
#include "worker/engine/profile.h"

enum {
    GROUPS = 8,
    PACK_PARTS = 16,
    LATE_FLOATS = 1 << 18, /* with fewer there is little to save */
    LATE_PIXELS = 1 << 12, /* of the batch's map: with fewer, packing takes too large a
                              share of a pass, */
    MOST_FLOATS = 1 << 22, /* unless so much is to be saved */
    MOST_PIXELS = 1 << 10,
    MUCH_FLOATS = 1 << 20,  /* of which the head of the graph would have two copies; */
    LATEST_FLOATS = 1 << 17 /* in place of LATE_ and MUCH_FLOATS, latest */
};

struct conv_state {
    struct conv *conv;
    struct conv_sizes sizes;
    float *packed[2]; /* by enum conv_pass; NULL where it is packed late */
    bool late[2];     /* for each pass anew, in the scratch */
};

static void
declare(const struct graph_node *node, const struct graph_node *x, op_declare_fn *add,
        void *ctx)
{
    const int64_t r = node->conv.kernel;

    add(ctx, &(struct op_param){
                 ".weight", NET_CONV_WEIGHT, {node->shape.c, x->shape.c, r, r}, 4});
}

static int64_t
macs(const struct graph_node *node, const struct graph_node *x)
{
    return node->shape.c * node->shape.h * node->shape.w * x->shape.c
           * node->conv.kernel * node->conv.kernel;
}

static int64_t
n_groups(int64_t n_slices)
{
    return n_slices < GROUPS ? n_slices : GROUPS;
}

/* Images of the g-th of n groups of slices. */
static struct op_slice
group_of(int64_t g, int64_t n, int64_t n_slices, int64_t batch)
{
    const int64_t first = g * n_slices / n * OP_SLICE;
    const int64_t end = (g + 1) * n_slices / n * OP_SLICE;

    return (struct op_slice){
        .index = g, .first = first, .images = (end < batch ? end : batch) - first};
}

/* The partial sums of the largest batch, or a stage. */
static int64_t
scratch_floats(const struct conv_sizes *sizes, int64_t max_batch)
{
    const int64_t groups = n_groups((max_batch + OP_SLICE - 1) / OP_SLICE);

    return sizes->staged > 0 ? sizes->stage : sizes->partial * groups;
}

/* Is there enough work for these packed weights to make them for each pass? */
static bool
is_worth_packing(int64_t floats, int64_t least, int64_t pixels)
{
    return floats >= least
           && pixels >= (floats >= MOST_FLOATS ? MOST_PIXELS : LATE_PIXELS);
}

/* pixels: of y, of all images. Not in the head of the graph, which goes depth first and
 * needs all its weights at once: where much is to be saved the head ends. */
static void
choose_late(struct conv_state *state, enum net_packing packing, int64_t pixels)
{
    struct conv_sizes *sizes = &state->sizes;
    const bool latest = packing == NET_PACK_LATEST;
    const int64_t least = latest ? LATEST_FLOATS : LATE_FLOATS;
    const int64_t much = latest ? LATEST_FLOATS : MUCH_FLOATS;

    for (int pass = CONV_FORWARD; pass <= CONV_BACKWARD_DATA; pass++)
        state->late[pass] = packing != NET_PACK_KEPT
                            && is_worth_packing(sizes->packed[pass], least, pixels);
    if (sizes->together > OP_SLICE)
        return;
    if (state->late[CONV_FORWARD] && sizes->packed[CONV_FORWARD] >= much)
        sizes->together = OP_SLICE + 1;
    else
        state->late[CONV_FORWARD] = state->late[CONV_BACKWARD_DATA] = false;
}

/* Where the packed weights lie: with this node, or in its scratch. */
static void
packed_needs(struct op_needs *needs, const struct conv_state *state)
{
    for (int pass = CONV_FORWARD; pass <= CONV_BACKWARD_DATA; pass++) {
        const int64_t size = state->sizes.packed[pass];

        if (!state->late[pass])
            needs->own += size;
        else if (size > needs->scratch)
            needs->scratch = size;
    }
}

static int
op_open(struct op_site *s, int64_t max_batch, bool gradients, struct op_needs *needs,
        struct err *err)
{
    const struct graph_node *node = s->node, *x = s->x;
    const struct conv_shape shape = {
        .c = x->shape.c,
        .h = x->shape.h,
        .w = x->shape.w,
        .k = node->shape.c,
        .p = node->shape.h,
        .q = node->shape.w,
        .kernel = node->conv.kernel,
        .stride = node->conv.stride,
        .pad = node->conv.pad,
        .plain_x = x->plain,
        .lazy_x = s->from[0]->lazy,
    };
    struct conv_state *state = xcalloc(1, sizeof(*state));

    s->state = state;
    if (s->backend->conv_new(&state->conv, &shape, gradients, team_threads(s->team),
                             err)
        < 0)
        return err_wrap(err, "convolution %s", node->name);
    state->sizes = s->backend->conv_sizes(state->conv);
    choose_late(state, s->packing, max_batch * shape.p * shape.q);
    needs->together = state->sizes.together;
    if (gradients)
        needs->scratch = scratch_floats(&state->sizes, max_batch);
    packed_needs(needs, state);
    return 0;
}

static void
op_close(struct op_site *s)
{
    struct conv_state *state = s->state;

    if (state != NULL)
        s->backend->conv_free(state->conv);
    free(state);
}

static void
begin(struct op_site *s)
{
    struct conv_state *state = s->state;

    float *at = s->own;

    for (int pass = CONV_FORWARD; pass <= CONV_BACKWARD_DATA; pass++)
        if (!state->late[pass]) {
            state->packed[pass] = at;
            at += state->sizes.packed[pass];
        }
}

static int
prepare_pass(int64_t *workspace, struct op_site *s, enum conv_pass pass, int64_t images,
             struct err *err)
{
    struct conv_state *state = s->state;
    int64_t need = 0;

    if (s->backend->conv_prepare(&need, state->conv, pass, images, err) < 0)
        return err_wrap(err, "convolution %s", s->node->name);
    *workspace = need > *workspace ? need : *workspace;
    return 0;
}

/* Every size of task and of group. */
static int
prepare(int64_t *workspace, struct op_site *s, int64_t batch, bool gradients,
        struct err *err)
{
    const int64_t n_slices = (batch + OP_SLICE - 1) / OP_SLICE;

    for (int64_t i = 0; i < op_n_tasks(s, batch); i++) {
        const int64_t images = op_task_of(s, i, batch).images;
        if (prepare_pass(workspace, s, CONV_FORWARD, images, err) < 0)
            return -1;
        if (gradients
            && prepare_pass(workspace, s, CONV_BACKWARD_DATA, images, err) < 0)
            return -1;
    }
    for (int64_t g = 0; gradients && g < n_groups(n_slices); g++) {
        const struct op_slice group = group_of(g, n_groups(n_slices), n_slices, batch);
        if (prepare_pass(workspace, s, CONV_BACKWARD_WEIGHTS, group.images, err) < 0)
            return -1;
    }
    return 0;
}

static void
refresh(struct op_site *s, bool gradients, int thread)
{
    const struct conv_state *state = s->state;

    for (int pass = CONV_FORWARD; pass <= (gradients ? CONV_BACKWARD_DATA : 0); pass++)
        if (state->sizes.packed[pass] > 0 && !state->late[pass])
            s->backend->conv_pack(state->conv, pass, state->packed[pass],
                                  s->params[0].value, 0, 1, thread);
}

static float *
packed_late(const struct op_site *s, enum conv_pass pass)
{
    return op_site_scratch(s, pass == CONV_FORWARD ? PLAN_FORWARD : PLAN_BACKWARD);
}

struct pack_task {
    const struct op_site *site;
    enum conv_pass pass;
};

static void
pack_task(void *ctx, int64_t task, int thread)
{
    const struct pack_task *t = ctx;
    const struct op_site *s = t->site;
    const struct conv_state *state = s->state;
    const struct profile_tag tag = {.node = s->node,
                                    .pass = PROFILE_PREPARE,
                                    .mode = (int)s->pass->mode,
                                    .path = s->pass->path};

    profile_enter(thread, &tag, 0);
    s->backend->conv_pack(state->conv, t->pass, packed_late(s, t->pass),
                          s->params[0].value, task, PACK_PARTS, thread);
    profile_leave(thread);
}

static void
pack_late(const struct op_site *s, enum conv_pass pass)
{
    const struct conv_state *state = s->state;
    struct pack_task task = {s, pass};

    if (state->late[pass])
        team_run(s->team, PACK_PARTS, pack_task, &task);
}

void
conv_make_ready(const struct op_site *s)
{
    pack_late(s, CONV_FORWARD);
}

static void
before_forward(struct op_site *s)
{
    if (s->norm == NULL || s->pass->mode == NET_TRAIN)
        conv_make_ready(s);
}

static void
before_backward(struct op_site *s)
{
    if (s->wanted[0])
        pack_late(s, CONV_BACKWARD_DATA);
}

/* The weights as this pass reads them. */
static const float *
weights(const struct op_site *s, enum conv_pass pass)
{
    const struct conv_state *state = s->state;

    if (state->sizes.packed[pass] == 0)
        return s->params[0].value;
    return state->late[pass] ? packed_late(s, pass) : state->packed[pass];
}

void
conv_forward_after(const struct op_site *s, float *y, const struct conv_after *after,
                   const struct op_slice *images, int thread)
{
    const struct conv_state *state = s->state;
    const struct map_value x = op_site_value(s->from[0], images, thread);

    s->backend->conv_forward(state->conv, y, &x, weights(s, CONV_FORWARD), after,
                             images->images, s->pass->workspaces[thread], thread);
}

static void
forward(struct op_site *s, const struct op_slice *slice, int thread)
{
    conv_forward_after(s, op_site_at(s, s->y, slice, thread), NULL, slice, thread);
    if (s->norm != NULL && s->pass->mode == NET_TRAIN)
        norm_take_statistics(s->norm, slice, thread);
}

static void
backward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct conv_state *state = s->state;

    s->backend->conv_backward_data(
        state->conv, op_site_at(s, s->din[0], slice, thread), s->accumulate[0],
        op_site_at(s, s->dy, slice, thread), weights(s, CONV_BACKWARD_DATA),
        slice->images, s->pass->workspaces[thread], thread);
}

static void
group_task(void *ctx, int64_t task, int thread)
{
    const struct op_site *s = ctx;
    const struct conv_state *state = s->state;
    const struct op_pass *pass = s->pass;
    const struct op_slice g =
        group_of(task, n_groups(pass->n_slices), pass->n_slices, pass->batch);
    const struct map_value x = op_site_value(s->from[0], &g, thread);
    float *partials = op_site_scratch(s, PLAN_BACKWARD);

    s->backend->conv_backward_weights(
        state->conv, partials + task * state->sizes.partial, &x,
        op_site_at(s, s->dy, &g, thread), g.images, pass->workspaces[thread], thread);
}

static void
add_task(void *ctx, int64_t task, int thread)
{
    const struct op_site *s = ctx;
    const struct conv_state *state = s->state;

    s->backend->conv_add_grad(state->conv, s->params[0].grad,
                              op_site_scratch(s, PLAN_BACKWARD),
                              n_groups(s->pass->n_slices), task, thread);
}

/* A stage of some images and what is done with it. */
struct stage {
    const struct op_site *site;
    int64_t first, images;
};

static void
stage_task(void *ctx, int64_t task, int thread)
{
    const struct stage *stage = ctx;
    const struct op_site *s = stage->site;
    const struct conv_state *state = s->state;
    const struct op_slice image = {.first = stage->first + task, .images = 1};
    const struct map_value x = op_site_value(s->from[0], &image, thread);

    s->backend->conv_stage(state->conv, op_site_scratch(s, PLAN_BACKWARD), task, &x,
                           op_site_at(s, s->dy, &image, thread),
                           s->pass->workspaces[thread], thread);
}

static void
add_staged_task(void *ctx, int64_t task, int thread)
{
    const struct stage *stage = ctx;
    const struct op_site *s = stage->site;
    const struct conv_state *state = s->state;

    s->backend->conv_add_staged(state->conv, s->params[0].grad,
                                op_site_scratch(s, PLAN_BACKWARD), stage->images, task,
                                s->pass->workspaces[thread], thread);
}

static void
backward_staged(struct op_site *s)
{
    const struct conv_state *state = s->state;
    const int64_t most = state->sizes.staged, batch = s->pass->batch;

    for (int64_t first = 0; first < batch; first += most) {
        const int64_t rest = batch - first;
        struct stage stage = {s, first, rest < most ? rest : most};

        team_run(s->team, stage.images, stage_task, &stage);
        team_run(s->team, state->sizes.parts, add_staged_task, &stage);
    }
}

static void
backward_params(struct op_site *s)
{
    const struct conv_state *state = s->state;

    if (state->sizes.staged > 0) {
        backward_staged(s);
        return;
    }
    team_run(s->team, n_groups(s->pass->n_slices), group_task, s);
    team_run(s->team, state->sizes.parts, add_task, s);
}

const struct op op_conv = {.name = "conv",
                           .declare = declare,
                           .macs = macs,
                           .open = op_open,
                           .close = op_close,
                           .begin = begin,
                           .prepare = prepare,
                           .refresh = refresh,
                           .before_forward = before_forward,
                           .forward = forward,
                           .before_backward = before_backward,
                           .backward = backward,
                           .backward_params = backward_params};
