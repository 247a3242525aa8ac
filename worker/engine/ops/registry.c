/* registry.c - the list of ops. */
#include "worker/engine/ops/op.h"

/* One line per op; the definition is in the file of the same name. */
#define OPS(X)   \
    X(input)     \
    X(normalize) \
    X(block)     \
    X(conv)      \
    X(norm)      \
    X(add)       \
    X(pool)      \
    X(linear)

#define ENTRY(name) &op_##name,
const struct op *const ops[] = {OPS(ENTRY) NULL};
