/* block.c - a plain image put into the backend's blocks, for ops other than convolution
 * that read it. The graph adds this node by itself. */
#include "worker/engine/ops/op.h"

static void
forward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct map m = op_site_map(s, s->node, slice->images);

    s->backend->to_blocks(op_site_at(s, s->y, slice, thread),
                          op_site_at(s, s->in[0], slice, thread), &m);
}

static void
backward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const struct map m = op_site_map(s, s->node, slice->images);

    s->backend->from_blocks(op_site_at(s, s->din[0], slice, thread), s->accumulate[0],
                            op_site_at(s, s->dy, slice, thread), &m);
}

const struct op op_block = {.name = "block", .forward = forward, .backward = backward};
