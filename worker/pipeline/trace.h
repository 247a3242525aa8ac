#ifndef WORKER_PIPELINE_TRACE_H
#define WORKER_PIPELINE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/param.h"

/*
 * `relusweep-worker trace`: exact optimiser steps on given data, everything shown, so
 * that any other implementation can be compared number by number.
 *
 * spec (JSON): `stage` (teacher, mask, finetune) and, where it is not the catalogue's
 * first, `method`; `classes`; `teacher_bn`; and the stage's parameters as in the
 * catalogue, each with its default, but `dataset` and `relu_budget` may be absent. They
 * may stand at the top or under "params" or "parameters"; <stage>_lr and <stage>_loss
 * go before lr and loss; other members are ignored. A `dataset` gives the normalisation
 * and, where it is absent, `classes`; arrays `mean` and `std` of three numbers go
 * before it; with neither, pixels are not normalised.
 *
 * in (safetensors): `student/<name>`, `teacher/<name>` (not in stage teacher) with
 * state_dict names; a missing num_batches_tracked is 0; `mask/<i>` (C,H,W) u8 of the
 * student, all ones where absent; `x`, `x_aug` (B,3,H,W) f32 in [0,1], `y` (B) i64,
 * `attack_start` (B,3,H,W) f32 in [-1,1]. The first floor(B/2) images are clean and
 * augmented, the others adversarial sources.
 *
 * out (safetensors), of the last step: `logits/clean`, `logits/aug`
 * (floor(B/2),classes), `logits/adv` (ceil(B/2),classes), `x_adv`; scalars `loss/ce`,
 * `loss/kl`, `loss/pram`, ... (each term's mean over its views, before weighting, 0
 * where it is no part of the loss) and `loss/total`, their weighted sum; `grad/<name>`
 * (d total, without weight decay); after the step `student/<name>`; in stage mask
 * `score/<i>` (C,H,W), summed over all steps.
 */
struct trace_config {
    const char *spec, *in, *out; /* paths */
    int64_t steps, threads;
    const char *backend;
};

/* Command-line options, rows on struct trace_config. */
extern const struct param trace_params[];
extern const size_t trace_n_params;

/* Every step is made on the same data. A network whose loss is not finite is
 * ERR_NUMERIC; nothing is written then. */
MUST_CHECK int trace_run(const char *spec_path, const char *in_path,
                         const char *out_path, int64_t steps, const char *backend,
                         int threads, struct err *err);

#endif
