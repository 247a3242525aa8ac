/* plan.c - decides where every value and gradient lies, before anything is allocated.
 *
 * Invariant: two transient buffers whose lives meet do not overlap. With gradients all
 * values are kept (the backward pass reads them) and the gradients share memory; without,
 * the values that nobody may ask for after the pass share memory. */
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

int64_t
plan_place(struct plan_buffer *const *buffers, int n)
{
    struct plan_buffer **order = xcalloc((size_t)n, sizeof(struct plan_buffer *));
    int64_t total = 0;

    for (int i = 0; i < n; i++)
        order[i] = buffers[i];
    qsort(order, (size_t)n, sizeof(struct plan_buffer *), by_size);
    for (int i = 0; i < n; i++) {
        order[i]->offset = lowest_offset(order[i], order, i);
        const int64_t end = order[i]->offset + round_up(order[i]->size, ALIGN_FLOATS);
        total = end > total ? end : total;
    }
    free(order);
    return total;
}

static int64_t
node_size(const struct graph_node *node, int64_t block)
{
    const int64_t c = node->plain ? node->shape.c : round_up(node->shape.c, block);

    return c * node->shape.h * node->shape.w;
}

static void
plan_lives(struct plan *p, const struct graph *g, bool gradients)
{
    const int n = (int)g->n;

    for (int i = 0; i < n; i++) {
        p->values[i].kept = gradients;
        p->values[i].from = p->values[i].to = i;
        p->grads[i].from = p->grads[i].to = 2 * n - 1 - i;
        for (int k = 0; k < g->nodes[i].n_in; k++) {
            const int x = g->nodes[i].in[k];
            const int back = 2 * n - 1 - i;

            p->values[x].to = i;
            if (back < p->grads[x].from)
                p->grads[x].from = back;
        }
    }
    for (size_t i = 0; i < g->n_masks; i++)
        p->values[g->masks[i]].kept = true;
    for (size_t i = 0; i < g->n_groups; i++)
        p->values[g->groups[i]].kept = true;
    p->values[n - 1].kept = true; /* logits */
    p->grads[0].kept = true;      /* net_input_grad */
}

static void
place_kept(struct plan *p, struct plan_buffer *b)
{
    if (!b->kept || b->size == 0)
        return;
    b->offset = p->kept;
    p->kept += round_up(b->size, ALIGN_FLOATS);
}

struct plan
plan_make(const struct graph *g, int64_t block, bool gradients)
{
    struct plan p = {.values = xcalloc(g->n, sizeof(*p.values)),
                     .grads = xcalloc(g->n, sizeof(*p.grads))};
    struct plan_buffer **transient = xcalloc(2 * g->n, sizeof(struct plan_buffer *));
    int n = 0;

    plan_lives(&p, g, gradients);
    for (size_t i = 0; i < g->n; i++) {
        p.values[i].size = node_size(&g->nodes[i], block);
        p.grads[i].size = gradients ? p.values[i].size : 0;
        place_kept(&p, &p.values[i]);
        place_kept(&p, &p.grads[i]);
        if (!p.values[i].kept)
            transient[n++] = &p.values[i];
        if (!p.grads[i].kept && gradients)
            transient[n++] = &p.grads[i];
    }
    p.transient = plan_place(transient, n);
    free(transient);
    return p;
}

static void
set_apart(struct plan *p, struct plan_buffer *b, bool in_head)
{
    const int64_t end = b->offset + round_up(b->size, ALIGN_FLOATS);

    b->apart = in_head && !b->kept && b->size > 0;
    if (b->apart && end > p->arena)
        p->arena = end;
}

void
plan_set_head(struct plan *p, const struct graph *g, int head)
{
    const int backward_of_head = 2 * (int)g->n - head;

    p->arena = 0;
    for (int i = 0; i < (int)g->n; i++) {
        set_apart(p, &p->values[i], p->values[i].to < head);
        set_apart(p, &p->grads[i], p->grads[i].from >= backward_of_head);
    }
}

void
plan_release(struct plan *p)
{
    free(p->values);
    free(p->grads);
    *p = (struct plan){0};
}
