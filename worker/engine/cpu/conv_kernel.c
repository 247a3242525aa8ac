/* conv_kernel.c - the convolution kernels of our own, one line for each. */
#include "worker/engine/cpu/conv_kernel.h"

/* The first that suits is taken. */
#define CONV_KERNELS(X)        \
    X(strided_forward)         \
    X(direct_forward)          \
    X(direct_backward_data)    \
    X(direct_backward_weights) \
    X(wino_forward)            \
    X(wino_backward_data)      \
    X(wino_backward_weights)   \
    X(wino_staged_weights)     \
    X(stem_forward)            \
    X(stem_backward_data)      \
    X(stem_backward_weights)

#define DECLARE(name) extern const struct conv_kernel name;
CONV_KERNELS(DECLARE)

#define ENTRY(name) &name,
const struct conv_kernel *const conv_kernels[] = {CONV_KERNELS(ENTRY) NULL};

const struct conv_kernel *
conv_kernel_find(const struct conv_shape *s, enum conv_pass pass, int64_t block)
{
    for (size_t i = 0; conv_kernels[i] != NULL; i++)
        if (conv_kernels[i]->pass == pass && conv_kernels[i]->suits(s, block))
            return conv_kernels[i];
    return NULL;
}
