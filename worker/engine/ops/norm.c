/* norm.c - batch normalisation with K paths, fused with residual and masked ReLU:
 *
 *   z = gamma * (x - mean) * invstd + beta + residual,   invstd = 1 / sqrt(var + 1e-5)
 *   y = z where the mask is 0, max(z, 0) where it is 1
 *
 * Training takes mean and (biased) var from the batch and moves the running ones by 0.1
 * towards mean and unbiased var (as PyTorch does); evaluation takes the running ones,
 * which are constants to the gradient. Ioffe and Szegedy 2015 give the gradient:
 *
 *   dx = gamma * invstd * (dz - sum(dz)/M - (x - mean) * invstd^2 * sum(dz (x-mean))/M)
 *
 * The value need not be stored (plan_is_lazy): who reads it then computes it from terms.
 * In evaluation a convolution whose value only this norm reads (graph_fused_conv) does its
 * work: z = scale * conv + (beta - mean * scale) + residual, scale = gamma * invstd.
 *
 * Invariant: statistics are combined from slices in order and in double, so they are the
 * same for any number of threads. The mask is kept as the lower bound of z: 0 or -inf. */
#include "worker/engine/ops/norm.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/engine/ops/conv.h"
#include "worker/engine/profile.h"

static const double epsilon = 1e-5, momentum = 0.1;

enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR, BATCHES, PARAMS_OF_PATH };

enum { ARRAYS = 7 }; /* of norm_state, a value for each lane */

struct norm_state {
    int64_t lanes; /* channels, padded */
    /* of the last forward; a value for each lane */
    float *mean, *invstd, *scale, *beta, *offset; /* offset = beta - mean * scale */
    /* of the last backward */
    float *slope, *shift;
    float *low; /* lower bounds, an image in blocks; only with GRAPH_RELU */
    bool all_relu;
    struct norm_pass pass; /* the last forward, for kernels */
};

static const char *const path_names[GRAPH_MAX_PATHS + 1][GRAPH_MAX_PATHS] =
    {[1] = {""}, [2] = {".BN_c", ".BN_a"}, [3] = {".BN_c", ".BN_r", ".BN_a"}};

static void
declare_one(const char *path, const char *name, enum net_role role, int64_t c,
            op_declare_fn *add, void *ctx)
{
    char suffix[48];
    size_t n = 0;

    for (const char *p = path; *p != '\0'; p++)
        suffix[n++] = *p;
    for (const char *p = name; *p != '\0'; p++)
        suffix[n++] = *p;
    suffix[n] = '\0';
    add(ctx, &(struct op_param){suffix, role, {c}, role == NET_BATCHES ? 0 : 1});
}

static void
declare(const struct graph_node *node, const struct graph_node *x, op_declare_fn *add,
        void *ctx)
{
    (void)x;
    for (int i = 0; i < node->norm.paths; i++) {
        const char *path = path_names[node->norm.paths][i];
        const int64_t c = node->shape.c;

        declare_one(path, ".weight", NET_NORM_WEIGHT, c, add, ctx);
        declare_one(path, ".bias", NET_NORM_BIAS, c, add, ctx);
        declare_one(path, ".running_mean", NET_RUNNING_MEAN, c, add, ctx);
        declare_one(path, ".running_var", NET_RUNNING_VAR, c, add, ctx);
        declare_one(path, ".num_batches_tracked", NET_BATCHES, c, add, ctx);
    }
}

/* Per slice: two sums of doubles for each lane. */
static int64_t
partial_floats(const struct norm_state *state)
{
    return 2 * state->lanes * (int64_t)(sizeof(double) / sizeof(float));
}

static int
op_open(struct op_site *s, int64_t max_batch, bool gradients, struct op_needs *needs,
        struct err *err)
{
    (void)err;
    const struct map m = op_site_map(s, s->node, 1);
    struct norm_state *state = xcalloc(1, sizeof(*state));

    state->lanes = map_blocks(&m) * m.block;
    state->all_relu = true;
    s->state = state;
    needs->own = ARRAYS * state->lanes;
    if (s->node->norm.act == GRAPH_RELU)
        needs->own += map_size(&m);
    if (gradients)
        needs->scratch = (max_batch + OP_SLICE - 1) / OP_SLICE * partial_floats(state);
    return 0;
}

static void
op_close(struct op_site *s)
{
    free(s->state);
}

static void
begin(struct op_site *s)
{
    struct norm_state *state = s->state;
    float **arrays[ARRAYS] = {&state->mean, &state->invstd, &state->scale,
                              &state->beta, &state->offset, &state->slope,
                              &state->shift};

    for (int i = 0; i < ARRAYS; i++)
        *arrays[i] = s->own + (int64_t)i * state->lanes;
    state->low = s->own + ARRAYS * state->lanes;
}

/* Index in the blocked image of plain element i. */
static int64_t
lane_of(const struct map *m, int64_t i)
{
    const int64_t c = i / m->pixels, pixel = i % m->pixels;

    return ((c / m->block) * m->pixels + pixel) * m->block + c % m->block;
}

void
norm_set_mask(struct op_site *s, const uint8_t *mask)
{
    struct norm_state *state = s->state;
    const struct map m = op_site_map(s, s->node, 1);

    assert(s->node->norm.act == GRAPH_RELU);
    state->all_relu = true;
    for (int64_t i = 0; i < m.c * m.pixels; i++) {
        state->low[lane_of(&m, i)] = mask[i] ? 0.0f : -INFINITY;
        state->all_relu = state->all_relu && mask[i];
    }
}

void
norm_get_mask(const struct op_site *s, uint8_t *mask)
{
    const struct norm_state *state = s->state;
    const struct map m = op_site_map(s, s->node, 1);

    assert(s->node->norm.act == GRAPH_RELU);
    for (int64_t i = 0; i < m.c * m.pixels; i++)
        mask[i] = state->low[lane_of(&m, i)] == 0.0f;
}

/* The parameters of the pass's path; one path serves every pass. */
static const struct net_param *
path_params(const struct op_site *s)
{
    const int path = s->node->norm.paths == 1 ? 0 : s->pass->path;

    assert(path >= 0 && path < s->node->norm.paths);
    return s->params + (int64_t)path * PARAMS_OF_PATH;
}

static struct norm_pass
norm_pass_of(const struct op_site *s)
{
    const struct norm_state *state = s->state;
    enum norm_act act = NORM_LINEAR;

    if (s->node->norm.act == GRAPH_RELU)
        act = state->all_relu ? NORM_RELU : NORM_MASKED;
    return (struct norm_pass){.act = act,
                              .low = state->low,
                              .mean = state->mean,
                              .scale = state->scale,
                              .shift = state->beta};
}

/* Two arrays of lanes in the scratch. */
static double *
partial_of(const struct op_site *s, enum plan_direction direction, int64_t slice)
{
    const struct norm_state *state = s->state;
    float *partials = op_site_scratch(s, direction);

    return (double *)(void *)(partials + slice * partial_floats(state));
}

static void
slice_stats(const struct op_site *s, int64_t index, int thread)
{
    const struct norm_state *state = s->state;
    const struct op_slice slice = op_slice_of(index, s->pass->batch);
    const struct map m = op_site_map(s, s->node, slice.images);
    double *partial = partial_of(s, PLAN_FORWARD, index);

    s->backend->norm_stats(partial, partial + state->lanes,
                           op_site_at(s, s->in[0], &slice, thread), &m);
}

static void
stats_task(void *ctx, int64_t task, int thread)
{
    slice_stats(ctx, task, thread);
}

void
norm_take_statistics(const struct op_site *s, const struct op_slice *slices, int thread)
{
    const struct profile_tag tag = {.node = s->node,
                                    .pass = PROFILE_FORWARD,
                                    .mode = (int)s->pass->mode,
                                    .path = s->pass->path};
    const int64_t end = slices->first + slices->images;

    profile_enter(thread, &tag, 0);
    for (int64_t i = slices->first / OP_SLICE; i * OP_SLICE < end; i++)
        slice_stats(s, i, thread);
    profile_leave(thread);
}

/* Mean and sum of squared distances of one channel over the batch, from those of the
 * slices (Chan, Golub and LeVeque 1979). */
static void
combine_stats(double *mean, double *m2, const struct op_site *s, int64_t c)
{
    const struct norm_state *state = s->state;
    const int64_t pixels = s->node->shape.h * s->node->shape.w;
    double count = 0.0;

    *mean = *m2 = 0.0;
    for (int64_t i = 0; i < s->pass->n_slices; i++) {
        const double *partial = partial_of(s, PLAN_FORWARD, i);
        const double n = (double)(op_slice_of(i, s->pass->batch).images * pixels);
        const double distance = partial[c] - *mean;

        count += n;
        *mean += distance * n / count;
        *m2 +=
            partial[state->lanes + c] + distance * distance * n * (count - n) / count;
    }
}

static double
batch_count(const struct op_site *s)
{
    return (double)(s->pass->batch * s->node->shape.h * s->node->shape.w);
}

static float
toward(float running, double value)
{
    return (float)((1.0 - momentum) * (double)running + momentum * value);
}

/* Statistics of the batch, which the convolution before may have taken, and the move of
 * the running ones. */
static void
use_batch(struct op_site *s)
{
    struct norm_state *state = s->state;
    const struct net_param *p = path_params(s);
    const double count = batch_count(s);

    if (s->conv == NULL)
        team_run(s->team, s->pass->n_slices, stats_task, s);
    for (int64_t c = 0; c < s->node->shape.c; c++) {
        double mean, m2;

        combine_stats(&mean, &m2, s, c);
        state->mean[c] = (float)mean;
        state->invstd[c] = (float)(1.0 / sqrt(m2 / count + epsilon));
        p[RUNNING_MEAN].value[c] = toward(p[RUNNING_MEAN].value[c], mean);
        p[RUNNING_VAR].value[c] =
            toward(p[RUNNING_VAR].value[c], m2 / (count > 1.0 ? count - 1.0 : 1.0));
    }
    p[BATCHES].value[0] += 1.0f;
}

static void
use_running(struct op_site *s)
{
    struct norm_state *state = s->state;
    const struct net_param *p = path_params(s);

    for (int64_t c = 0; c < s->node->shape.c; c++) {
        const double var = (double)p[RUNNING_VAR].value[c];

        state->mean[c] = p[RUNNING_MEAN].value[c];
        state->invstd[c] = (float)(1.0 / sqrt(var + epsilon));
    }
}

static void
before_forward(struct op_site *s)
{
    struct norm_state *state = s->state;
    const struct net_param *p = path_params(s);

    if (s->pass->mode == NET_TRAIN)
        use_batch(s);
    else
        use_running(s);
    if (s->conv != NULL && s->pass->mode == NET_EVAL)
        conv_make_ready(s->conv);
    for (int64_t c = 0; c < s->node->shape.c; c++) {
        state->scale[c] = p[GAMMA].value[c] * state->invstd[c];
        state->beta[c] = p[BETA].value[c];
        state->offset[c] = state->beta[c] - state->mean[c] * state->scale[c];
    }
    state->pass = norm_pass_of(s);
}

_Static_assert((int)GRAPH_LAZY_TERMS < (int)MAP_TERMS,
               "a residual's terms, and the norm's own");

/* The residual's terms, and its own. */
static struct map_value
value(const struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct norm_state *state = s->state;
    struct map_value v = {0};

    if (s->node->n_in > 1)
        v = op_site_value(s->from[1], slice, thread);
    assert(v.n < MAP_TERMS);
    v.terms[v.n++] =
        (struct map_term){op_site_at(s, s->in[0], slice, thread), &state->pass};
    return v;
}

/* What the convolution does after its own work. */
static void
forward_by_conv(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct norm_state *state = s->state;
    struct map_value residual = {0};

    if (s->node->n_in > 1)
        residual = op_site_value(s->from[1], slice, thread);
    assert(residual.n == 0); /* graph_lazy_terms */
    const struct conv_after after = {.scale = state->scale,
                                     .shift = state->offset,
                                     .residual = residual.at,
                                     .act = state->pass.act,
                                     .low = state->pass.low};
    conv_forward_after(s->conv, op_site_at(s, s->y, slice, thread), &after, slice,
                       thread);
}

static void
forward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct map m = op_site_map(s, s->node, slice->images);

    if (s->conv != NULL && s->pass->mode == NET_EVAL) {
        forward_by_conv(s, slice, thread);
        return;
    }
    const struct map_value v = value(s, slice, thread);
    s->backend->value(op_site_at(s, s->y, slice, thread), &v, &m);
}

static struct norm_maps
maps_of(const struct op_site *s, const struct op_slice *slice, int thread)
{
    return (struct norm_maps){.dy = op_site_at(s, s->dy, slice, thread),
                              .x = op_site_at(s, s->in[0], slice, thread),
                              .y = op_site_value(s, slice, thread)};
}

static void
sums_task(void *ctx, int64_t task, int thread)
{
    const struct op_site *s = ctx;
    const struct norm_state *state = s->state;
    const struct op_slice slice = op_slice_of(task, s->pass->batch);
    const struct norm_maps maps = maps_of(s, &slice, thread);
    const struct map m = op_site_map(s, s->node, slice.images);
    double *partial = partial_of(s, PLAN_BACKWARD, task);

    s->backend->norm_sums(partial, partial + state->lanes, &maps, &state->pass, &m);
}

static double
combine_sum(const struct op_site *s, int64_t lane)
{
    double sum = 0.0;

    for (int64_t i = 0; i < s->pass->n_slices; i++)
        sum += partial_of(s, PLAN_BACKWARD, i)[lane];
    return sum;
}

static void
before_backward(struct op_site *s)
{
    struct norm_state *state = s->state;
    const struct net_param *p = path_params(s);
    const bool params = s->pass->flags & NET_GRAD_PARAMS;

    if (s->pass->mode == NET_EVAL && !params)
        return;
    team_run(s->team, s->pass->n_slices, sums_task, s);
    for (int64_t c = 0; c < s->node->shape.c; c++) {
        const double dz = combine_sum(s, c), dzx = combine_sum(s, state->lanes + c);
        const double invstd = (double)state->invstd[c], scale = (double)state->scale[c];

        state->slope[c] = (float)(-scale * invstd * invstd * dzx / batch_count(s));
        state->shift[c] = (float)(-scale * dz / batch_count(s));
        if (params) {
            p[GAMMA].grad[c] += (float)(dzx * invstd);
            p[BETA].grad[c] += (float)dz;
        }
    }
}

static void
backward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct norm_state *state = s->state;
    const struct norm_pull pull = {state->slope, state->shift};
    const struct norm_maps maps = maps_of(s, slice, thread);
    const struct map m = op_site_map(s, s->node, slice->images);
    struct grad_to dx = {NULL, s->accumulate[0]}, dresidual = {NULL, s->accumulate[1]};

    if (s->wanted[0])
        dx.at = op_site_at(s, s->din[0], slice, thread);
    if (s->wanted[1])
        dresidual.at = op_site_at(s, s->din[1], slice, thread);
    s->backend->norm_grad(dx, dresidual, &maps,
                          s->pass->mode == NET_TRAIN ? &pull : NULL, &state->pass, &m);
}

const struct op op_norm = {.name = "norm",
                           .declare = declare,
                           .open = op_open,
                           .close = op_close,
                           .begin = begin,
                           .before_forward = before_forward,
                           .value = value,
                           .forward = forward,
                           .before_backward = before_backward,
                           .backward = backward};
