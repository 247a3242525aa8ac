/*
 * sparse.c - the masks of sparse momentum training; see sparse.h. One move, with the
 * share p that falls linearly to 0:
 *
 *   v_l = mean |momentum| over the weights that layer l has, as a share of all layers
 *   every layer gives up its ceil(p * n_l) smallest weights
 *   layer l gets v_l * (all that was given up + correction) back, at the places without
 *   a weight where |momentum| is largest; what does not fit goes to the others equally
 *
 * The correction smooths what earlier moves lacked. Invariant: the state is one array of
 * floats, so that a checkpoint can hold it.
 */
#include "worker/pipeline/sparse.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/engine/rng.h"
#include "worker/pipeline/mask_rule.h"

/* Numbers at the head of the state. */
enum { CORRECTION, GAP_SUM, GAP_COUNT, HEAD };

struct layer {
    struct net_param *weight;
    float *mask; /* (weight->size) 0 or 1, inside state */
    /* of the move at hand */
    int64_t kept, removed;
    double share, growth;
};

struct sparse {
    struct sparse_config config;
    struct net *net;
    struct layer *layers;
    int n_layers;
    float *state; /* HEAD numbers, then all masks */
    int64_t n_state, target;
    float *score; /* of the largest layer */
    uint8_t *top;
};

static void
apply_masks(struct sparse *s)
{
    for (int l = 0; l < s->n_layers; l++) {
        const struct layer *layer = &s->layers[l];
        for (int64_t i = 0; i < layer->weight->size; i++)
            layer->weight->value[i] *= layer->mask[i];
    }
    net_params_changed(s->net);
}

/* ---- making ---------------------------------------------------------------------- */

static int64_t
find_layers(struct sparse *s)
{
    size_t count;
    struct net_param *params = net_params(s->net, &count);
    int64_t largest = 0;

    s->layers = xcalloc(count, sizeof *s->layers);
    s->n_state = HEAD;
    for (size_t i = 0; i < count; i++) {
        if (params[i].role != NET_CONV_WEIGHT)
            continue;
        s->layers[s->n_layers++].weight = &params[i];
        s->n_state += params[i].size;
        largest = params[i].size > largest ? params[i].size : largest;
    }
    return largest;
}

static void
first_masks(struct sparse *s, uint64_t seed)
{
    float *at = s->state + HEAD;

    memset(s->state, 0, HEAD * sizeof *s->state);
    for (int l = 0; l < s->n_layers; l++) {
        struct layer *layer = &s->layers[l];
        struct rng rng = rng_stream(seed, RNG_MASK, 0, (uint64_t)l);
        layer->mask = at;
        for (int64_t i = 0; i < layer->weight->size; i++)
            *at++ = (double)rng_uniform(&rng) < s->config.density ? 1 : 0;
    }
    s->target = (int64_t)(s->config.density * (double)(s->n_state - HEAD) + 0.5);
}

int
sparse_new(struct sparse **out, struct net *n, const struct sparse_config *config,
           uint64_t seed, struct err *err)
{
    struct sparse *s = xcalloc(1, sizeof *s);

    s->config = *config;
    s->net = n;
    const int64_t largest = find_layers(s);
    s->state = mem_large_alloc((size_t)s->n_state * sizeof *s->state);
    s->score = mem_large_alloc((size_t)largest * sizeof *s->score);
    s->top = mem_large_alloc((size_t)largest);
    *out = s;
    if (s->state == NULL || s->score == NULL || s->top == NULL) {
        sparse_free(s);
        *out = NULL;
        return err_set(err, ERR_OOM, "no memory for the masks of sparse training");
    }
    first_masks(s, seed);
    apply_masks(s);
    return 0;
}

void
sparse_free(struct sparse *s)
{
    if (s == NULL)
        return;
    mem_large_free(s->state);
    mem_large_free(s->score);
    mem_large_free(s->top);
    free(s->layers);
    free(s);
}

float *
sparse_data(struct sparse *s, int64_t *n)
{
    *n = s->n_state;
    return s->state;
}

double
sparse_density(const struct net_param *weight)
{
    int64_t kept = 0;

    for (int64_t i = 0; i < weight->size; i++)
        kept += weight->value[i] != 0;
    return (double)kept / (double)weight->size;
}

/* ---- one move -------------------------------------------------------------------- */

/* How many weights each layer has, and its share of the momentum. */
static void
measure_layers(struct sparse *s)
{
    double total = 0;

    for (int l = 0; l < s->n_layers; l++) {
        struct layer *layer = &s->layers[l];
        double sum = 0;
        layer->kept = 0;
        for (int64_t i = 0; i < layer->weight->size; i++) {
            layer->kept += layer->mask[i] != 0;
            sum += fabs((double)(layer->weight->momentum[i] * layer->mask[i]));
        }
        layer->share = layer->kept > 0 ? sum / (double)layer->kept : 0;
        total += layer->share;
    }
    for (int l = 0; l < s->n_layers; l++)
        s->layers[l].share = total > 0 ? s->layers[l].share / total : 1.0 / s->n_layers;
}

/* The `count` places with the largest scores become the layer's mask. */
static void
keep_top(struct sparse *s, struct layer *layer, int64_t count)
{
    mask_rule_top(s->top, s->score, layer->weight->size, count, false);
    for (int64_t i = 0; i < layer->weight->size; i++)
        layer->mask[i] = s->top[i];
}

/* Takes the smallest weights; a layer that is nearly dense and still moves much gives
 * no more than it lacks. Returns how many were taken. */
static int64_t
prune_layer(struct sparse *s, struct layer *layer, double rate)
{
    const int64_t size = layer->weight->size;
    const double sparsity = 1 - (double)layer->kept / (double)size;

    if (sparsity < 0.2 && layer->share > 1.0 / s->n_layers && sparsity < rate)
        rate = sparsity;
    layer->removed = (int64_t)ceil(rate * (double)layer->kept);
    for (int64_t i = 0; i < size; i++)
        s->score[i] = layer->mask[i] != 0 ? fabsf(layer->weight->value[i]) : -1;
    keep_top(s, layer, layer->kept - layer->removed);
    return layer->removed;
}

/* Shares `amount` out; a layer takes at most 99 % of its free places. */
static void
share_growth(struct sparse *s, double amount)
{
    enum { ROUNDS = 1000 };
    double excess = 1, extra = 0;

    for (int l = 0; l < s->n_layers; l++)
        s->layers[l].growth = ceil(s->layers[l].share * amount);
    for (int round = 0; round < ROUNDS && excess > 0; round++) {
        excess = 0;
        for (int l = 0; l < s->n_layers; l++) {
            struct layer *layer = &s->layers[l];
            const int64_t kept = layer->kept - layer->removed;
            const double room = 0.99 * (double)(layer->weight->size - kept);
            layer->growth += extra;
            if (layer->growth > room) {
                excess += layer->growth - room;
                layer->growth = room;
            }
        }
        extra = excess / s->n_layers;
    }
}

/* Returns how many weights the layer now has. */
static int64_t
grow_layer(struct sparse *s, struct layer *layer)
{
    const int64_t growth = layer->growth > 0 ? (int64_t)layer->growth : 0;
    const int64_t kept = layer->kept - layer->removed + growth;

    for (int64_t i = 0; i < layer->weight->size; i++)
        s->score[i] = layer->mask[i] != 0 ? FLT_MAX : fabsf(layer->weight->momentum[i]);
    keep_top(s, layer, kept);
    return kept;
}

static void
move_weights(struct sparse *s, double rate)
{
    int64_t removed = 0, kept = 0;

    measure_layers(s);
    for (int l = 0; l < s->n_layers; l++)
        removed += prune_layer(s, &s->layers[l], rate);
    share_growth(s, (double)removed + (double)s->state[CORRECTION]);
    for (int l = 0; l < s->n_layers; l++)
        kept += grow_layer(s, &s->layers[l]);
    const double gap = (double)(s->target - kept);
    s->state[GAP_SUM] += (float)gap;
    s->state[GAP_COUNT] += 1;
    s->state[CORRECTION] = (float)(0.25 * (double)s->state[CORRECTION] + 0.75 * gap
                                   + (double)(s->state[GAP_SUM] / s->state[GAP_COUNT]));
}

void
sparse_after_step(struct sparse *s, int64_t step)
{
    const double left = 1 - (double)step / (double)s->config.steps;

    if (step % s->config.interval == 0 && left > 0)
        move_weights(s, s->config.prune * left);
    apply_masks(s);
}
