#ifndef WORKER_ENGINE_OPS_CONV_H
#define WORKER_ENGINE_OPS_CONV_H

#include "worker/engine/ops/op.h"

/* To be called before conv_forward_after, or the op's forward where a norm does the work
 * of it. */
void conv_make_ready(const struct op_site *conv);

/* y = after(conv(x)) for these images of the convolution's input, x. For the norm that
 * follows; the convolution's own value stays as it is. */
void conv_forward_after(const struct op_site *conv, float *y,
                        const struct conv_after *after, const struct op_slice *images,
                        int thread);

#endif
