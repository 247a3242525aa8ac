/* net_maps.c - what is read and written between the passes of a net: masks, maps of inner
 * values, and parts of their gradients.
 *
 * Invariant: whether a value is stored or not makes no difference to who asks for an
 * image of it. */
#include <assert.h>
#include <string.h>

#include "worker/engine/net_state.h"
#include "worker/engine/ops/norm.h"

static int
mask_node(const struct net *n, int index)
{
    assert(index >= 0 && (size_t)index < n->graph->n_masks);
    return n->graph->masks[index];
}

static int
group_node(const struct net *n, int index)
{
    assert(index >= 0 && (size_t)index < n->graph->n_groups);
    return n->graph->groups[index];
}

void
net_set_mask(struct net *n, int index, const uint8_t *mask)
{
    norm_set_mask(&n->sites[mask_node(n, index)], mask);
}

void
net_get_mask(const struct net *n, int index, uint8_t *mask)
{
    norm_get_mask(&n->sites[mask_node(n, index)], mask);
}

static struct net_map
map_of(struct net *n, int node, float *data)
{
    const struct map m = op_site_map(&n->sites[node], &n->graph->nodes[node], 1);
    const struct graph_shape shape = n->graph->nodes[node].shape;

    return (struct net_map){.data = data,
                            .c = shape.c,
                            .h = shape.h,
                            .w = shape.w,
                            .block = m.block,
                            .per_image = map_size(&m)};
}

/* Is this value there after a forward pass, or is it the one that is being shown? */
static bool
is_there(const struct net *n, int node)
{
    const struct plan_buffer *b = &n->plan.values[node];

    return b->kept || (b->to >= (int)n->graph->n && !n->differentiated)
           || (n->watched >= 0 && mask_node(n, n->watched) == node);
}

static struct net_map
value_map(struct net *n, int node)
{
    const struct op_site *s = &n->sites[node];

    assert(is_there(n, node));
    return map_of(n, node, op_site_is_lazy(s) ? NULL : op_site_all(s, s->y));
}

static const float *
value_image(const struct net *n, int node, int64_t image, int thread)
{
    const struct op_site *s = &n->sites[node];
    const struct op_slice slice = {.first = image, .images = 1};
    const struct map_value v = op_site_value(s, &slice, thread);
    const struct map m = op_site_map(s, s->node, 1);

    assert(is_there(n, node));
    if (v.n == 0)
        return v.at;
    s->backend->value(n->threads->workspaces[thread], &v, &m);
    return n->threads->workspaces[thread];
}

/* Zeros for `size` floats of each image of the batch, in memory that is made here. */
static void
clear_outside(struct net *n, float **memory, int64_t size)
{
    const int64_t floats = size * n->config.max_batch;

    assert(n->config.gradients);
    if (*memory == NULL) {
        *memory = mem_large_alloc((size_t)floats * sizeof(float));
        assert(*memory != NULL);
        n->seed_floats += floats;
    }
    memset(*memory, 0, (size_t)(size * n->pass.batch) * sizeof(float));
}

static struct net_map
seed_map(struct net *n, int node)
{
    struct net_node *state = &n->nodes[node];

    if (!state->seeded)
        clear_outside(n, &state->seed, n->plan.values[node].size);
    state->seeded = true;
    return map_of(n, node, state->seed);
}

float *
net_group_gain(struct net *n, int index)
{
    const int node = group_node(n, index);
    const struct graph_shape shape = n->graph->nodes[node].shape;
    struct net_node *state = &n->nodes[node];

    if (!state->gained)
        clear_outside(n, &state->gain, shape.h * shape.w);
    state->gained = true;
    return state->gain;
}

struct net_map
net_act_map(struct net *n, int index)
{
    return value_map(n, mask_node(n, index));
}

struct net_map
net_group_map(struct net *n, int index)
{
    return value_map(n, group_node(n, index));
}

const float *
net_act_image(const struct net *n, int index, int64_t image, int thread)
{
    return value_image(n, mask_node(n, index), image, thread);
}

const float *
net_group_image(const struct net *n, int index, int64_t image, int thread)
{
    return value_image(n, group_node(n, index), image, thread);
}

void
net_watch(struct net *n, net_watch_fn *fn, void *ctx)
{
    assert(fn == NULL || n->config.keep == NET_KEEP_WATCHED);
    n->watch = fn;
    n->watch_ctx = ctx;
}

struct net_map
net_act_seed(struct net *n, int index)
{
    return seed_map(n, mask_node(n, index));
}

struct net_map
net_group_seed(struct net *n, int index)
{
    return seed_map(n, group_node(n, index));
}

void
net_map_to_plain(const struct net_map *layout, const float *blocked, float *plain)
{
    const int64_t pixels = layout->h * layout->w, block = layout->block;

    for (int64_t c = 0; c < layout->c; c++) {
        const float *lane = blocked + c / block * pixels * block + c % block;
        for (int64_t i = 0; i < pixels; i++)
            plain[c * pixels + i] = lane[i * block];
    }
}
