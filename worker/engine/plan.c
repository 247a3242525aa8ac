/* plan.c - decides where every value and gradient lies, before anything is allocated.
 *
 * Invariant: two transient buffers whose lives meet do not overlap, and a guest is not
 * written before its host is done with. With gradients the values that the backward pass
 * reads live until it comes to their own node, and gradients share memory with each other,
 * with values that it is done with, and with those that they come from; without, a
 * convolution that does the norm after it (graph_fused_conv) has no value of its own. */
#include "worker/engine/plan.h"

#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/engine/graph_node.h"
#include "worker/engine/ops/op.h"

enum { ALIGN_FLOATS = 16, BUFFERS = 4 /* of a node */ };

static int64_t
round_up(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

static bool
lives_meet(const struct plan_buffer *a, const struct plan_buffer *b)
{
    return a->from <= b->to && b->from <= a->to;
}

static int
by_size(const void *a, const void *b)
{
    const struct plan_buffer *x = *(struct plan_buffer *const *)a;
    const struct plan_buffer *y = *(struct plan_buffer *const *)b;

    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return (x->from > y->from) - (x->from < y->from);
}

/* The lowest offset at which b meets none of the n placed buffers. */
static int64_t
lowest_offset(const struct plan_buffer *b, struct plan_buffer *const *placed, int n)
{
    const int64_t size = round_up(b->size, ALIGN_FLOATS);
    int64_t offset = 0;

    for (int i = 0; i < n; i++) {
        const struct plan_buffer *p = placed[i];
        const int64_t end = p->offset + round_up(p->size, ALIGN_FLOATS);

        if (lives_meet(b, p) && p->offset < offset + size && offset < end) {
            offset = end;
            i = -1; /* look again from the new place */
        }
    }
    return offset;
}

/* Where the last of n placed buffers ends. */
static int64_t
plan_end(struct plan_buffer *const *buffers, int n)
{
    int64_t last = 0;

    for (int i = 0; i < n; i++) {
        const int64_t end =
            buffers[i]->offset + round_up(buffers[i]->size, ALIGN_FLOATS);
        last = end > last ? end : last;
    }
    return last;
}

int64_t
plan_place(struct plan_buffer *const *buffers, int n)
{
    struct plan_buffer **order = xcalloc((size_t)n, sizeof(struct plan_buffer *));

    for (int i = 0; i < n; i++)
        order[i] = buffers[i];
    qsort(order, (size_t)n, sizeof(struct plan_buffer *), by_size);
    for (int i = 0; i < n; i++)
        order[i]->offset = lowest_offset(order[i], order, i);
    free(order);
    return plan_end(buffers, n);
}

static int64_t
node_size(const struct graph_node *node, int64_t block)
{
    const int64_t c = node->plain ? node->shape.c : round_up(node->shape.c, block);

    return c * node->shape.h * node->shape.w;
}

/* A norm done by the convolution before it reads what that convolution reads, and has
 * the convolution's scratch; the convolution takes its statistics. */
static void
plan_fused_life(struct plan *p, const struct graph *g, int norm)
{
    const int conv = graph_fused_conv(g, norm);

    if (conv < 0)
        return;
    p->values[g->nodes[conv].in[0]].to = norm;
    p->scratch[PLAN_FORWARD][conv].to = norm;
    p->scratch[PLAN_FORWARD][norm].from = conv;
}

static void
plan_lives(struct plan *p, const struct graph *g)
{
    const int n = (int)g->n;

    for (int i = 0; i < n; i++) {
        const int back = 2 * n - 1 - i;

        p->values[i].from = p->values[i].to = i;
        p->grads[i].from = p->grads[i].to = back;
        p->scratch[PLAN_FORWARD][i].from = p->scratch[PLAN_FORWARD][i].to = i;
        p->scratch[PLAN_BACKWARD][i].from = p->scratch[PLAN_BACKWARD][i].to = back;
        for (int k = 0; k < g->nodes[i].n_in; k++) {
            const int x = g->nodes[i].in[k];

            p->values[x].to = i;
            if (back < p->grads[x].from)
                p->grads[x].from = back;
        }
        plan_fused_life(p, g, i);
    }
    p->again->from = n - 1;
    p->again->to = n;
}

/* Does the backward pass of `reader` look at its input number k? */
static bool
is_looked_at(const struct graph *g, int reader, int k, const struct plan_config *config)
{
    const struct op *op = g->nodes[reader].op;

    if (op == &op_norm && k > 0) /* a residual is a part of its terms */
        return plan_is_lazy(g, reader, config->gradients, config->keep);
    return op == &op_conv || op == &op_linear || op == &op_norm;
}

/* Is the value read by the backward pass? By a norm's own, to know what its activation
 * let through. */
static bool
is_for_backward(const struct graph *g, int node, const struct plan_config *config)
{
    const struct graph_node *at = &g->nodes[node];

    if (at->op == &op_norm && at->norm.act != GRAPH_LINEAR)
        return true;
    for (int i = node + 1; i < (int)g->n; i++)
        for (int k = 0; k < g->nodes[i].n_in; k++)
            if (g->nodes[i].in[k] == node && is_looked_at(g, i, k, config))
                return true;
    return false;
}

static bool
keeps_groups(enum net_keep keep)
{
    return keep == NET_KEEP_MAPS || keep == NET_KEEP_GROUPS;
}

static void
plan_kept(struct plan *p, const struct graph *g, const struct plan_config *config)
{
    for (int i = 0; i < (int)g->n && config->gradients; i++)
        if (is_for_backward(g, i, config))
            p->values[i].to = 2 * (int)g->n - 1 - i;
    for (size_t i = 0; i < g->n_masks && config->keep == NET_KEEP_MAPS; i++)
        p->values[g->masks[i]].kept = true;
    for (size_t i = 0; i < g->n_groups && keeps_groups(config->keep); i++)
        p->values[g->groups[i]].kept = true;
    p->values[g->n - 1].kept = true; /* logits */
    p->grads[0].kept = true;         /* net_input_grad */
}

/* The most scratch of a convolution that evaluation leaves to its norm. */
static int64_t
again_size(const struct plan *p, const struct graph *g)
{
    int64_t most = 0;

    for (int i = 0; i < (int)g->n; i++) {
        const int conv = graph_fused_conv(g, i);
        const int64_t size = conv >= 0 ? p->scratch[PLAN_FORWARD][conv].size : 0;

        most = size > most ? size : most;
    }
    return most;
}

static void
plan_sizes(struct plan *p, const struct graph *g, const struct plan_config *config)
{
    const bool gradients = config->gradients;

    for (size_t i = 0; i < g->n; i++) {
        const int64_t scratch = config->scratch != NULL ? config->scratch[i] : 0;

        p->values[i].size = node_size(&g->nodes[i], config->block);
        p->grads[i].size = gradients ? p->values[i].size : 0;
        p->scratch[PLAN_FORWARD][i].size = scratch;
        p->scratch[PLAN_BACKWARD][i].size = gradients ? scratch : 0;
    }
    for (int i = 0; i < (int)g->n && !gradients; i++)
        if (graph_fused_conv(g, i) >= 0)
            p->values[graph_fused_conv(g, i)].size = 0;
    if (gradients)
        p->again->size = again_size(p, g);
}

bool
plan_is_lazy(const struct graph *g, int node, bool gradients, enum net_keep keep)
{
    const int terms = graph_lazy_terms(g, node, keep);

    return gradients ? terms > 0 : terms == 1 && graph_fused_conv(g, node) < 0;
}

/* Without gradients x must live as long as what is computed from it. */
static void
plan_lazy_value(struct plan *p, int node, int x)
{
    p->values[node].host = &p->values[x];
    if (p->values[x].to < p->values[node].to)
        p->values[x].to = p->values[node].to;
}

/* The gradient of a sum is that of what is added: no copy for a convolution that nothing
 * else reads, and that only reads its gradient. */
static void
plan_sum(struct plan *p, const struct graph *g, int sum)
{
    for (int k = 0; k < g->nodes[sum].n_in; k++) {
        const int x = g->nodes[sum].in[k];

        if (g->nodes[x].op != &op_conv || graph_only_reader(g, x) != sum
            || p->grads[x].size == 0)
            continue;
        p->grads[x].host = &p->grads[sum];
        if (p->grads[sum].to < p->grads[x].to)
            p->grads[sum].to = p->grads[x].to;
    }
}

/* The gradient of a convolution's value is written by the norm that alone reads that
 * value, and is the last to do so: it may take its place. */
static void
plan_hosts(struct plan *p, const struct graph *g, const struct plan_config *config)
{
    for (int i = 0; i < (int)g->n; i++) {
        const int conv = graph_fused_conv(g, i);

        if (plan_is_lazy(g, i, config->gradients, config->keep))
            plan_lazy_value(p, i, g->nodes[i].in[0]);
        if (conv >= 0 && p->grads[conv].size > 0)
            p->grads[conv].host = &p->values[conv];
        if (g->nodes[i].op == &op_add)
            plan_sum(p, g, i);
    }
}

static bool
is_own(const struct plan_buffer *b)
{
    return b->size > 0 && b->host == NULL;
}

static bool
is_kept(const struct plan_buffer *b)
{
    return is_own(b) && b->kept;
}

static bool
is_transient(const struct plan_buffer *b)
{
    return is_own(b) && !b->kept;
}

static bool
is_together(const struct plan_buffer *b)
{
    return is_transient(b) && !b->apart;
}

/* A guest may be apart while its host is not. */
static bool
is_in_arena(const struct plan_buffer *b)
{
    return b->size > 0 && b->apart && (b->host == NULL || !b->host->apart);
}

/* Those of n buffers that are so; returns how many. */
static int
choose(struct plan_buffer **list, struct plan_buffer *buffers, int n,
       bool (*is)(const struct plan_buffer *))
{
    int count = 0;

    for (int i = 0; i < n; i++)
        if (is(&buffers[i]))
            list[count++] = &buffers[i];
    return count;
}

static int64_t
place_kept(struct plan_buffer *const *buffers, int n)
{
    int64_t at = 0;

    for (int i = 0; i < n; i++) {
        buffers[i]->offset = at;
        at += round_up(buffers[i]->size, ALIGN_FLOATS);
    }
    return at;
}

/* All arenas, as if every image had a part of them: needed while the head runs. */
static struct plan_buffer
arenas_of(const struct plan *p, int n, const struct plan_config *config,
          enum plan_direction direction)
{
    const int head = config->head;
    struct plan_buffer b = {.to = head - 1};

    if (direction == PLAN_BACKWARD)
        b = (struct plan_buffer){.from = 2 * n - head, .to = 2 * n - 1};
    if (config->apart > 0)
        b.size = (p->arena * config->apart + config->images - 1) / config->images;
    return b;
}

/* Floats of the values that are there when the forward pass ends, but for those kept. */
static int64_t
sum_for_backward(const struct plan *p, int n)
{
    int64_t sum = 0;

    for (int i = 0; i < n; i++)
        if (is_transient(&p->values[i]) && p->values[i].to >= n)
            sum += round_up(p->values[i].size, ALIGN_FLOATS);
    return sum;
}

/* With gradients the whole batch of what is apart must also lie somewhere in passes that
 * go node by node; without, there are none. */
static void
place(struct plan *p, struct plan_buffer *all, int n, const struct plan_config *config)
{
    const bool gradients = config->gradients;
    const int buffers = BUFFERS * n + 1;
    struct plan_buffer **list =
        xcalloc((size_t)buffers + 2, sizeof(struct plan_buffer *));
    struct plan_buffer arenas[2];
    int count = choose(list, all, buffers, is_in_arena);

    p->arena = plan_place(list, count);
    for (int i = 0; i < count; i++)
        list[i]->arena = list[i]->offset;
    count = choose(list, all, buffers, is_kept);
    p->kept = place_kept(list, count);
    count = choose(list, all, buffers, gradients ? is_transient : is_together);
    for (int i = PLAN_FORWARD; i <= (gradients ? PLAN_BACKWARD : PLAN_FORWARD); i++) {
        arenas[i] = arenas_of(p, n, config, (enum plan_direction)i);
        list[count++] = &arenas[i];
    }
    p->transient = plan_place(list, count);
    p->for_backward = sum_for_backward(p, n);
    for (int i = PLAN_FORWARD; i <= (gradients ? PLAN_BACKWARD : PLAN_FORWARD); i++)
        p->arenas_at[i] = arenas[i].offset;
    free(list);
}

/* Guests lie where their hosts do. */
static void
place_guests(struct plan_buffer *all, int n)
{
    for (int i = 0; i < n; i++) {
        struct plan_buffer *b = &all[i];

        if (b->host == NULL)
            continue;
        b->kept = b->host->kept;
        b->offset = b->host->offset;
        if (b->host->apart)
            b->arena = b->host->arena;
    }
}

struct plan
plan_make(const struct graph *g, const struct plan_config *config)
{
    const int n = (int)g->n, head = config->head;
    struct plan_buffer *all = xcalloc(BUFFERS * g->n + 1, sizeof(*all));
    struct plan p = {.values = all,
                     .grads = all + n,
                     .scratch = {all + 2 * n, all + 3 * n},
                     .again = all + BUFFERS * n};

    plan_lives(&p, g);
    plan_kept(&p, g, config);
    plan_sizes(&p, g, config);
    plan_hosts(&p, g, config);
    for (int i = 0; i < n; i++) {
        const struct plan_buffer *x =
            p.values[i].host != NULL ? p.values[i].host : &p.values[i];
        p.values[i].kept = x->kept;
        p.values[i].apart = !x->kept && x->to < head;
        p.grads[i].apart = !p.grads[i].kept && p.grads[i].from >= 2 * n - head;
    }
    place(&p, all, n, config);
    place_guests(all, BUFFERS * n);
    return p;
}

void
plan_release(struct plan *p)
{
    free(p->values); /* the first of one array */
    *p = (struct plan){0};
}
