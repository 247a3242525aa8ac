#ifndef WORKER_PIPELINE_ONNX_H
#define WORKER_PIPELINE_ONNX_H

#include "shared/base/err.h"
#include "worker/engine/net.h"

/*
 * A network as an ONNX file (IR version 7, operator set 13 of the default domain), for
 * inference: input `images` (N,3,H,W) float in [0,1], output `logits` (N,classes). The
 * normalisation is part of the graph; batch norms are those of one path, with running
 * statistics; masks are constants: out = Where(mask, Relu(z), z). A mask of ones is a
 * plain Relu, one of zeros nothing. Initializers have the names of the state_dict.
 */
enum { ONNX_IR_VERSION = 7, ONNX_OPSET = 13 };

/* name: of the graph. path: which batch norm of those with several. */
MUST_CHECK int onnx_save(struct net *n, int path, const char *name, const char *file,
                         struct err *err);

#endif
