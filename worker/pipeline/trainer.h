#ifndef WORKER_PIPELINE_TRAINER_H
#define WORKER_PIPELINE_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/models/model.h"
#include "worker/pipeline/checkpoint.h"
#include "worker/pipeline/model_file.h"
#include "worker/pipeline/schedule.h"
#include "worker/pipeline/stage.h"
#include "worker/pipeline/step.h"
#include "worker/pipeline/training_data.h"

/*
 * The loop that the three training stages share: epochs of steps, then validation,
 * selection, metrics and a checkpoint. A stage says with a plan what is special in it.
 */
struct trainer;

struct trainer_plan {
    enum step_stage stage;
    int64_t epochs;
    double lr; /* the first */
    const char *milestones;
    /* Parameters and masks before the first step. */
    int (*begin)(struct trainer *t, struct err *err);
    /* After the last step of an epoch, before validation; may be NULL. Must give the
     * same result when it is repeated: a stop may fall between it and the next
     * checkpoint. */
    int (*end_epoch)(struct trainer *t, struct err *err);
    /* After a step whose number, from 1, is in t->state; may be NULL. */
    void (*after_step)(struct trainer *t);
    /* What a checkpoint holds beside nets and counts; may be NULL. Borrowed. */
    float *(*extra)(struct trainer *t, int64_t *n);
    void *own;      /* of these functions */
    bool keep_last; /* the last weights are the result, whatever select_on says */
};

struct trainer {
    struct stage_context *context;
    const struct trainer_plan *plan;
    uint64_t seed; /* of this stage's streams: shuffling, augmentation, attacks, init */
    struct training_data data;
    struct schedule schedule;
    struct net *net;     /* that is trained */
    struct net *teacher; /* NULL in stage teacher */
    struct step *step;
    float *start; /* (batch,c,h,w) start of the attack */
    struct checkpoint_state state;
    struct snapshot best;
    int bn_paths; /* of net */
    int64_t steps_per_epoch;
    /* time, of this process only */
    double started_s, checkpoint_s, epoch_s, epoch_rate;
    int64_t steps_done, epoch_images;
    int64_t kept[2]; /* steps of the last two checkpoints, 0: none */
};

/* Trains from the beginning or from the folder's `resume`, writes the best model and
 * emits the result. ERR_STOPPED after a checkpoint when asked to stop; ERR_NUMERIC
 * where training diverged, the last checkpoint is kept. */
MUST_CHECK int trainer_run(struct stage_context *context,
                           const struct trainer_plan *plan, struct err *err);

/* Steps since the beginning of the stage. */
int64_t trainer_step_number(const struct trainer *t);

/* Opens inputs/<stage>.model, which must be of this job's model, data set and of
 * `role`. */
MUST_CHECK int trainer_open_input(struct model_file **out,
                                  const struct stage_context *context,
                                  const char *stage, enum model_role role,
                                  struct err *err);

#endif
