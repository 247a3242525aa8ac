#ifndef WORKER_PIPELINE_RUN_H
#define WORKER_PIPELINE_RUN_H

#include "shared/base/err.h"

/*
 * The process of one stage: `relusweep-worker stage DIR`, started by the agent.
 *
 * In DIR:
 *   spec.json                the job (shared/spec/job.h)
 *   inputs/<stage>.<name>    parents' artifacts, e.g. inputs/teacher.model
 *   resume                   a checkpoint to go on from, optional; where it does not
 *                            fit, the log says so and the stage starts afresh
 *   checkpoint-<step>        written by the stage
 *   model.safetensors        written by the stage
 *
 * Events are JSON objects, one a line, on file descriptor 3:
 *   {"started": {provenance}}
 *   {"progress": {"epoch", "epochs", "step", "steps", "images_per_second", "loss",
 *                 "seconds_left"}}                                at most four a second
 *   {"metrics": [{"name", "step", "value", "unit", "goal"}, ...]}
 *   {"checkpoint": {"step": N, "file": "checkpoint-N"}}           complete in DIR
 *   {"result": {"finals": [metric, ...],
 *               "artifacts": [{"name": "model", "file": "model.safetensors"}]}}
 *   {"error": {"kind": "numeric", "text": "..."}}
 * The last line is result or error. stderr is the log. The exit code is 0 or
 * err_kind_exit of the error's kind. SIGTERM and SIGINT: checkpoint at the next step,
 * then an error of kind "stopped".
 *
 * A collector removes checkpoints that it has read. With events on stdout there is
 * none, and only the last two stay.
 *
 * Environment:
 *   RELUSWEEP_THREADS              team size; default: the cores it may run on
 *   RELUSWEEP_BACKEND              default auto
 *   RELUSWEEP_DATA                 data folder; default: the usual places
 *   RELUSWEEP_CHECKPOINT_SECONDS   default 60
 *   RELUSWEEP_EVENTS=stdout        events on stdout, for use by hand
 *   RELUSWEEP_PROFILE              name of the numerics profile, recorded only
 */

/* Runs the stage in `dir`; everything is told as above. Returns the exit code. */
int run_stage(const char *dir);

#endif
