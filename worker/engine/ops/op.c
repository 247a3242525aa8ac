/* op.c - what all ops share: addresses of slices, and the parameters' roles.
 *
 * Invariant: where a slice lies depends on the plan, the slice and, with arenas, the
 * thread; what is computed there never depends on the thread. */
#include "worker/engine/ops/op.h"

#include <assert.h>

void
op_declare(const struct graph_node *node, const struct graph_node *x,
           op_declare_fn *add, void *ctx)
{
    if (node->op->declare != NULL)
        node->op->declare(node, x, add, ctx);
}

bool
op_role_is_trained(enum net_role role)
{
    return role != NET_RUNNING_MEAN && role != NET_RUNNING_VAR && role != NET_BATCHES;
}

float *
op_site_all(const struct op_site *s, const struct plan_buffer *b)
{
    const struct op_pass *pass = s->pass;

    assert(!b->apart || pass->arenas == NULL);
    if (!b->kept)
        return pass->transient + b->offset * pass->room;
    return pass->kept + b->offset * pass->capacity + pass->first * b->size;
}

float *
op_site_at(const struct op_site *s, const struct plan_buffer *b,
           const struct op_slice *slice, int thread)
{
    if (b->size == 0)
        return NULL;
    if (b->apart && s->pass->arenas != NULL)
        return s->pass->arenas[thread] + b->arena * OP_SLICE;
    return op_site_all(s, b) + slice->first * b->size;
}

bool
op_site_is_lazy(const struct op_site *s)
{
    return s->lazy && (s->conv == NULL || s->pass->raw);
}

struct map_value
op_site_value(const struct op_site *s, const struct op_slice *slice, int thread)
{
    if (op_site_is_lazy(s))
        return s->node->op->value(s, slice, thread);
    return (struct map_value){.at = op_site_at(s, s->y, slice, thread)};
}

float *
op_site_scratch(const struct op_site *s, enum plan_direction direction)
{
    const bool again = s->pass->raw && s->pass->mode == NET_EVAL;

    return op_site_all(s, direction == PLAN_FORWARD && again ? s->again
                                                             : s->scratch[direction]);
}

struct map
op_site_map(const struct op_site *s, const struct graph_node *node, int64_t images)
{
    return (struct map){.images = images,
                        .c = node->shape.c,
                        .pixels = node->shape.h * node->shape.w,
                        .block = node->plain ? 1 : s->backend->block()};
}

struct op_slice
op_slice_of(int64_t index, int64_t batch)
{
    const int64_t first = index * OP_SLICE;
    const int64_t rest = batch - first;

    return (struct op_slice){
        .index = index, .first = first, .images = rest < OP_SLICE ? rest : OP_SLICE};
}

static int64_t
n_slices(int64_t batch)
{
    return (batch + OP_SLICE - 1) / OP_SLICE;
}

int64_t
op_n_tasks(const struct op_site *s, int64_t batch)
{
    const int64_t needed = (batch + s->together - 1) / s->together;
    const int64_t threads = team_threads(s->team), slices = n_slices(batch);
    const int64_t wanted = threads > needed ? threads : needed;

    return wanted < slices ? wanted : slices;
}

struct op_slice
op_task_of(const struct op_site *s, int64_t index, int64_t batch)
{
    const int64_t n = op_n_tasks(s, batch), slices = n_slices(batch);
    const int64_t first = index * slices / n * OP_SLICE;
    const int64_t end = (index + 1) * slices / n * OP_SLICE;

    return (struct op_slice){
        .index = index, .first = first, .images = (end < batch ? end : batch) - first};
}
