#ifndef WORKER_PIPELINE_TRAINER_SETUP_H
#define WORKER_PIPELINE_TRAINER_SETUP_H

#include "worker/pipeline/trainer.h"

/* Builds everything of a trainer whose context and plan are set. After a failure, too,
 * it must be released. */
MUST_CHECK int trainer_setup(struct trainer *t, struct err *err);
void trainer_setup_release(struct trainer *t);

/* What the model that is kept will say about itself. */
struct model_info trainer_setup_info(const struct trainer *t);

#endif
