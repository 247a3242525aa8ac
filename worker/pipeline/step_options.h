#ifndef WORKER_PIPELINE_STEP_OPTIONS_H
#define WORKER_PIPELINE_STEP_OPTIONS_H

#include "worker/methods/config.h"
#include "worker/pipeline/step.h"

/* The step's share of a stage's parameters, for the trainer and for traces. Strings are
 * borrowed from `c`. */
struct step_config step_options(const struct stage_config *c, enum step_stage stage);

#endif
