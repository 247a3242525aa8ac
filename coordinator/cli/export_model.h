#ifndef COORDINATOR_CLI_EXPORT_MODEL_H
#define COORDINATOR_CLI_EXPORT_MODEL_H

#include "coordinator/cli/export.h"

/*
 * Formats of a trained network: r->out and its card, r->out.json. The worker program
 * beside this one, which knows what a network is, writes both; the card also gets what
 * only the database knows: the job, its parameters, where it ran, and its metrics with
 * those of its evaluations.
 */
MUST_CHECK int export_safetensors(const struct export_request *r, struct err *err);
MUST_CHECK int export_onnx(const struct export_request *r, struct err *err);

#endif
