#ifndef WORKER_PIPELINE_TRAINER_REPORT_H
#define WORKER_PIPELINE_TRAINER_REPORT_H

#include "worker/pipeline/tally.h"
#include "worker/pipeline/trainer.h"

/* What a trainer tells: where it is, a point of each curve, and how it ended. */
MUST_CHECK int trainer_report_progress(struct trainer *t, double loss, struct err *err);
MUST_CHECK int trainer_report_epoch(const struct trainer *t, const struct tally *seen,
                                    struct err *err);
MUST_CHECK int trainer_report_result(const struct trainer *t,
                                     const struct model_info *info, const char *file,
                                     struct err *err);

#endif
