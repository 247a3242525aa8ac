/* pool.c - global average: y[c] = mean over h,w of x[c,h,w]. */
#include "worker/engine/ops/op.h"

static void
forward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct map m = op_site_map(s, s->x, slice->images);

    s->backend->pool(op_site_at(s, s->y, slice, thread),
                     op_site_at(s, s->in[0], slice, thread), &m);
}

static void
backward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct map m = op_site_map(s, s->x, slice->images);

    s->backend->pool_grad(op_site_at(s, s->din[0], slice, thread), s->accumulate[0],
                          op_site_at(s, s->dy, slice, thread), &m);
}

const struct op op_pool = {.name = "pool", .forward = forward, .backward = backward};
