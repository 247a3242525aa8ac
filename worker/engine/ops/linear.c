/* linear.c - y (N,K) = x (N,C) w^T + b, w (K,C); x is a map of one pixel, so a row of it
 * is C rounded up to the block. */
#include "worker/engine/ops/op.h"

enum { WEIGHT, BIAS };

static void
declare(const struct graph_node *node, const struct graph_node *x, op_declare_fn *add,
        void *ctx)
{
    const int64_t k = node->shape.c;

    add(ctx, &(struct op_param){".weight", NET_LINEAR_WEIGHT, {k, x->shape.c}, 2});
    add(ctx, &(struct op_param){".bias", NET_LINEAR_BIAS, {k}, 1});
}

static int64_t
macs(const struct graph_node *node, const struct graph_node *x)
{
    return node->shape.c * x->shape.c;
}

static void
forward(struct op_site *s, const struct op_slice *slice, int thread)
{
    s->backend->linear(op_site_at(s, s->y, slice, thread),
                       op_site_at(s, s->in[0], slice, thread), s->params[WEIGHT].value,
                       s->params[BIAS].value, slice->images, s->node->shape.c,
                       s->x->shape.c, s->in[0]->size);
}

static void
backward(struct op_site *s, const struct op_slice *slice, int thread)
{
    s->backend->linear_backward_data(
        op_site_at(s, s->din[0], slice, thread), s->accumulate[0],
        op_site_at(s, s->dy, slice, thread), s->params[WEIGHT].value, slice->images,
        s->node->shape.c, s->x->shape.c, s->in[0]->size);
}

static void
weights_task(void *ctx, int64_t task, int thread)
{
    const struct op_site *s = ctx;
    (void)task, (void)thread;

    s->backend->linear_backward_weights(s->params[WEIGHT].grad, s->params[BIAS].grad,
                                        op_site_all(s, s->in[0]), op_site_all(s, s->dy),
                                        s->pass->batch, s->node->shape.c, s->x->shape.c,
                                        s->in[0]->size);
}

static void
backward_params(struct op_site *s)
{
    team_run(s->team, 1, weights_task, s);
}

const struct op op_linear = {.name = "linear",
                             .declare = declare,
                             .macs = macs,
                             .forward = forward,
                             .backward = backward,
                             .backward_params = backward_params};
