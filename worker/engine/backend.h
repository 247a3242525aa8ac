#ifndef WORKER_ENGINE_BACKEND_H
#define WORKER_ENGINE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

/*
 * The table of kernels under the ops, chosen once. No op knows which backend runs it;
 * a CUDA backend is one more table. Kernels are called by one thread of the team for one
 * slice of the batch, get their workspace from the caller, and never allocate.
 *
 * `dnnl`  oneDNN, blocked layouts nChw8c / nChw16c (the default on x86-64)
 * `blas`  OpenBLAS im2col + GEMM, plain NCHW (block 1), the readable reference
 *
 * The rest of this table (convolution, linear, normalisation, pooling rows) is defined
 * with the ops that call it, see ops/.
 */
struct backend;

/* NULL-terminated. */
extern const struct backend *const backends[];

/* Backend called `name` ("auto": the best that this build has), or an ERR_USAGE that
 * lists what there is. */
MUST_CHECK int backend_find(const struct backend **out, const char *name,
                            struct err *err);
const char *backend_name(const struct backend *b);

/* "oneDNN 2.6.3 avx2" / "OpenBLAS 0.3.21 Zen": for the provenance of an attempt. */
void backend_describe(const struct backend *b, char *text, size_t size);

#endif
