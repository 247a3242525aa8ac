/* input.c - the image that a graph starts from: copied, so that a backward pass does not
 * depend on the caller's array. */
#include <string.h>

#include "worker/engine/ops/op.h"

static void
forward(struct op_site *s, const struct op_slice *slice, int thread)
{
    const int64_t size = s->y->size;

    memcpy(op_site_at(s, s->y, slice, thread), s->pass->input + slice->first * size,
           (size_t)(slice->images * size) * sizeof(float));
}

const struct op op_input = {.name = "input", .forward = forward};
