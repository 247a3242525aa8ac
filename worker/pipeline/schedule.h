#ifndef WORKER_PIPELINE_SCHEDULE_H
#define WORKER_PIPELINE_SCHEDULE_H

#include <stdint.h>

#include "shared/base/err.h"

/*
 * Learning rate by epoch (methods.md 4): epochs count from 1 and
 * lr = first * 0.1^(number of milestones m with epoch > m). Milestones are per cent of
 * the epochs: 62.5,75,87.5 of 240 are the epochs 150,180,210.
 */
enum { SCHEDULE_MAX_MILESTONES = 16 };

struct schedule {
    int64_t epochs;
    double first;
    double milestones[SCHEDULE_MAX_MILESTONES]; /* epochs, rising */
    int n;
};

/* milestones: "62.5,75,87.5" or "none". ERR_USAGE for anything else. */
MUST_CHECK int schedule_init(struct schedule *s, int64_t epochs, double first,
                             const char *milestones, struct err *err);

double schedule_lr(const struct schedule *s, int64_t epoch);

#endif
