/* add.c - y = a + b, both of one shape. */
#include "worker/engine/ops/op.h"

static void
forward(struct op_site *s, const struct op_slice *slice, int thread)
{
    s->backend->add(op_site_at(s, s->y, slice, thread),
                    op_site_at(s, s->in[0], slice, thread),
                    op_site_at(s, s->in[1], slice, thread), slice->images * s->y->size);
}

static void
backward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const float *dy = op_site_at(s, s->dy, slice, thread);

    for (int i = 0; i < 2; i++) {
        float *dx = s->wanted[i] ? op_site_at(s, s->din[i], slice, thread) : NULL;

        if (dx != NULL && dx != dy) /* the same: see plan.c */
            s->backend->copy(dx, s->accumulate[i], dy, slice->images * s->dy->size);
    }
}

const struct op op_add = {.name = "add", .forward = forward, .backward = backward};
