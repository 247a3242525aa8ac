#ifndef WORKER_PIPELINE_MODEL_EXPORT_H
#define WORKER_PIPELINE_MODEL_EXPORT_H

#include <stddef.h>

#include "shared/base/err.h"
#include "shared/base/param.h"

/* `relusweep-worker export`: a model of ours for other programs. */
struct model_export_config {
    const char *model;  /* file, the artifact "model" */
    const char *format; /* "safetensors" | "onnx" */
    const char *path;   /* "clean" | "adv": the batch norms of an ONNX file */
    const char *about;  /* JSON whose members the card gets too; "": none */
    const char *out;
};
extern const struct param model_export_params[];
extern const size_t model_export_n_params;

/* Writes `out` and its card, `out`.json (model_card.h, with "format", "file_sha256" and
 * for ONNX "path", "opset" added). The model is loaded whole before anything is
 * written. */
MUST_CHECK int model_export(const struct model_export_config *c, struct err *err);

#endif
