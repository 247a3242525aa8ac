/* normalize.c - y = (x - mean[c]) / std[c] on the plain image; the same statement is part
 * of the graph so that attacks work in pixels. */
#include "worker/engine/ops/op.h"

static int
op_open(struct op_site *s, int64_t max_batch, bool gradients, struct op_needs *needs,
        struct err *err)
{
    (void)max_batch, (void)gradients, (void)err;
    needs->own = s->node->shape.c; /* 1 / std */
    return 0;
}

static void
begin(struct op_site *s)
{
    for (int64_t c = 0; c < s->node->shape.c; c++)
        s->own[c] = 1.0f / s->node->normalize.std[c];
}

static void
forward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct map m = op_site_map(s, s->node, slice->images);

    s->backend->normalize(op_site_at(s, s->y, slice, thread),
                          op_site_at(s, s->in[0], slice, thread),
                          s->node->normalize.mean, s->own, &m);
}

static void
backward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct map m = op_site_map(s, s->node, slice->images);

    s->backend->normalize_grad(op_site_at(s, s->din[0], slice, thread),
                               s->accumulate[0], op_site_at(s, s->dy, slice, thread),
                               s->own, &m);
}

const struct op op_normalize = {.name = "normalize",
                                .open = op_open,
                                .begin = begin,
                                .forward = forward,
                                .backward = backward};
