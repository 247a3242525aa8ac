#ifndef WORKER_PIPELINE_TRAINING_DATA_H
#define WORKER_PIPELINE_TRAINING_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/data/loader.h"
#include "worker/pipeline/stage.h"

/*
 * What a training stage reads: its part of the training images, and the images on which
 * the kept epoch is chosen. All stages of a cell see the same split (it is drawn by the
 * cell's seed); each shuffles and augments in its own way (stream_seed).
 */
struct training_data {
    struct dataset train, test; /* test: only with select_on = test */
    struct dataset_split split;
    int64_t *test_order;
    struct loader *batches; /* shuffled, augmented */
    struct loader *select;  /* plain; NULL: nothing is measured */
    bool on_test;           /* `select` reads the test part */
};

MUST_CHECK int training_data_init(struct training_data *d,
                                  const struct stage_context *c, uint64_t stream_seed,
                                  struct err *err);
void training_data_release(struct training_data *d);

#endif
