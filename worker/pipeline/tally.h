#ifndef WORKER_PIPELINE_TALLY_H
#define WORKER_PIPELINE_TALLY_H

#include <stdint.h>

#include "shared/base/err.h"
#include "worker/data/loader.h"
#include "worker/engine/net.h"

/* Right answers, in all and by class. */
struct tally {
    int64_t classes, n, correct;
    int64_t *class_n, *class_correct; /* (classes) */
};

void tally_init(struct tally *t, int64_t classes);
void tally_release(struct tally *t);

/* Counts predictions (the first largest logit) of logits (n,classes) for labels y.
 * ERR_NUMERIC when a logit is not finite. */
MUST_CHECK int tally_add(struct tally *t, const float *logits, const int64_t *y,
                         int64_t n, struct err *err);

/* right (n) bytes: 1 where the prediction is the label. ERR_NUMERIC as above. */
MUST_CHECK int tally_right(uint8_t *right, const float *logits, int64_t classes,
                           const int64_t *y, int64_t n, struct err *err);

double tally_percent(const struct tally *t);

/* Counts eval-mode predictions for all images of the loader, as they are. ERR_STOPPED
 * when the process is asked to stop. */
MUST_CHECK int tally_clean(struct tally *t, struct net *net, int path, struct loader *l,
                           struct err *err);

#endif
