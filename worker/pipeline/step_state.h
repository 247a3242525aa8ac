#ifndef WORKER_PIPELINE_STEP_STATE_H
#define WORKER_PIPELINE_STEP_STATE_H

#include "worker/attacks/attack.h"
#include "worker/losses/loss_set.h"
#include "worker/pipeline/map_scores.h"
#include "worker/pipeline/step.h"
#include "worker/pipeline/views.h"

/* Private to step.c (what a step does) and step_new.c (what it is made of). */
struct step {
    struct net *student, *teacher; /* borrowed; teacher may be NULL */
    int paths, teacher_paths;      /* batch norms of each */
    int64_t batch, classes, per_image;
    struct loss_set *losses;
    bool takes[LOSS_N_VIEWS]; /* views that are computed */
    bool pairs;               /* a term compares the adversarial with the clean view */
    bool targets;             /* the teacher's logits of the clean images are read */
    const struct attack *attack;
    struct attack_config attack_config;
    double temperature;
    struct optim_sgd sgd;

    float *logits[LOSS_N_VIEWS]; /* (room,classes) each, room of the largest part */
    float *dlogits, *d_own;      /* the same */
    float *target;               /* (batch,classes) of the teacher */
    float *x_adv;                /* (room,c,h,w) */
    float *running[2]; /* running statistics: before the step, and before a view that
                          is run again */

    struct map_scores *scores; /* STEP_MASK: D; else NULL */
    bool watches;              /* the teacher keeps no maps for them */
};

/* Is this one of the running statistics, which a refused step puts back? */
bool step_is_running(const struct net_param *p);

#endif
