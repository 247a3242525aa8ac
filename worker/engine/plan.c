/* plan.c - decides where every value and gradient lies, before anything is allocated.
 *
 * Invariant: two transient buffers whose lives meet do not overlap. With gradients all
 * values are kept (the backward pass reads them) and the gradients share memory; without,
 * the values that nobody asks for after the pass share memory, and a convolution that
 * does the norm after it (graph_fused_conv) has no value of its own. */
#include "worker/engine/plan.h"

#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/engine/graph_node.h"

enum { ALIGN_FLOATS = 16 };

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

/* A norm done by the convolution before it reads what that convolution reads. */
static void
plan_fused_life(struct plan *p, const struct graph *g, int norm)
{
    const int conv = graph_fused_conv(g, norm);

    if (conv >= 0)
        p->values[g->nodes[conv].in[0]].to = norm;
}

static void
plan_lives(struct plan *p, const struct graph *g, enum plan_use use)
{
    const int n = (int)g->n;

    for (int i = 0; i < n; i++) {
        p->values[i].kept = use == PLAN_TRAINING;
        p->values[i].from = p->values[i].to = i;
        p->grads[i].from = p->grads[i].to = 2 * n - 1 - i;
        for (int k = 0; k < g->nodes[i].n_in; k++) {
            const int x = g->nodes[i].in[k];
            const int back = 2 * n - 1 - i;

            p->values[x].to = i;
            if (back < p->grads[x].from)
                p->grads[x].from = back;
        }
        plan_fused_life(p, g, i);
    }
    for (size_t i = 0; i < g->n_masks && use <= PLAN_EVALUATION; i++)
        p->values[g->masks[i]].kept = true;
    for (size_t i = 0; i < g->n_groups && use != PLAN_LOGITS; i++)
        p->values[g->groups[i]].kept = true;
    p->values[n - 1].kept = true; /* logits */
    p->grads[0].kept = true;      /* net_input_grad */
}

static void
plan_sizes(struct plan *p, const struct graph *g, int64_t block, bool gradients)
{
    for (size_t i = 0; i < g->n; i++) {
        p->values[i].size = node_size(&g->nodes[i], block);
        p->grads[i].size = gradients ? p->values[i].size : 0;
    }
    for (int i = 0; i < (int)g->n && !gradients; i++)
        if (graph_fused_conv(g, i) >= 0)
            p->values[graph_fused_conv(g, i)].size = 0;
}

static void
place_kept(struct plan *p, struct plan_buffer *b, int n)
{
    for (int i = 0; i < n; i++) {
        if (!b[i].kept || b[i].size == 0)
            continue;
        b[i].offset = p->kept;
        p->kept += round_up(b[i].size, ALIGN_FLOATS);
    }
}

/* Adds the transient ones of n buffers, apart or not, to a list; returns how many. */
static int
select_transient(struct plan_buffer **list, struct plan_buffer *b, int n, bool apart)
{
    int count = 0;

    for (int i = 0; i < n; i++)
        if (b[i].size > 0 && !b[i].kept && b[i].apart == apart)
            list[count++] = &b[i];
    return count;
}

/* What is apart has one offset for both places: with gradients the whole batch of it must
 * lie somewhere in passes that go node by node, without there are none. */
static void
place_transient(struct plan *p, int n, bool gradients)
{
    struct plan_buffer **list = xcalloc(4 * (size_t)n, sizeof(struct plan_buffer *));
    int apart = select_transient(list, p->values, n, true);

    apart += select_transient(list + apart, p->grads, n, true);
    struct plan_buffer **others = list + apart;
    int count = select_transient(others, p->values, n, false);
    count += select_transient(others + count, p->grads, n, false);
    if (gradients) {
        p->transient = plan_place(list, apart + count);
        p->arena = plan_end(list, apart);
    } else {
        p->transient = plan_place(others, count);
        p->arena = plan_place(list, apart);
    }
    free(list);
}

struct plan
plan_make(const struct graph *g, int64_t block, int head, enum plan_use use)
{
    const bool gradients = use == PLAN_TRAINING;
    const int n = (int)g->n;
    struct plan p = {.values = xcalloc(g->n, sizeof(*p.values)),
                     .grads = xcalloc(g->n, sizeof(*p.grads))};

    plan_lives(&p, g, use);
    plan_sizes(&p, g, block, gradients);
    for (int i = 0; i < n; i++) {
        p.values[i].apart = !p.values[i].kept && p.values[i].to < head;
        p.grads[i].apart = !p.grads[i].kept && p.grads[i].from >= 2 * n - head;
    }
    place_kept(&p, p.values, n);
    place_kept(&p, p.grads, n);
    place_transient(&p, n, gradients);
    return p;
}

void
plan_release(struct plan *p)
{
    free(p->values);
    free(p->grads);
    *p = (struct plan){0};
}
