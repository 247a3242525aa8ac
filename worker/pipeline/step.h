#ifndef WORKER_PIPELINE_STEP_H
#define WORKER_PIPELINE_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "worker/engine/net.h"
#include "worker/engine/optim/optim.h"
#include "worker/losses/loss.h"

/*
 * One optimiser step on up to three views (clean, augmented, adversarial), as RLNet's
 * stages teacher, mask and finetune do it (methods.md 4.1, 4.3, 4.4), its ablations and
 * the baselines that it is compared with (4.5). The trainer, `trace` and `bench` all run
 * exactly this. How many batch norms the student has decides how a batch is shared out
 * over the views (views.h).
 */
enum step_stage { STEP_TEACHER, STEP_MASK, STEP_FINETUNE, STEP_SENSITIVITY };

/* The parameters that a step depends on; rows of these names are in every training
 * stage's parameter table. */
struct step_config {
    enum step_stage stage;
    const char *loss;         /* canonical sum: "0.5*ce+0.5*kl+1000*pram" or names;
                                 NULL: "ce", "ce+kl", "ce+kl+pram" by stage */
    const char *loss_weights; /* "released" | "paper": weights of unweighted terms */
    const char *pram_form;    /* "released" (attention transfer) | "paper" */
    const char *ce_views, *kl_views; /* views of the terms on labels and on the
                                        teacher's outputs; NULL: all three */
    const char *pram_views; /* "clean,aug" (main method) | "clean" | "clean,aug,adv" */
    double temperature;     /* of losses and of the KL attack; where there is none, 0 */
    const char *attack;     /* "auto" (KL where there is a teacher or a loss on pairs,
                               else CE), "pgd-7", ... */
    double eps, attack_step; /* 8/255, 2/255 */
    int64_t attack_steps;    /* 7; 0: as many as the attack's name says. A named attack
                                with another number of its own is an error */
    double momentum, weight_decay;
};

struct step_batch {
    int64_t n;          /* B */
    const float *x;     /* (n,c,h,w) in [0,1] */
    const float *x_aug; /* same; only the augmented view's are read */
    const int64_t *y;   /* (n) */
    const float *start; /* (n,c,h,w) in [-1,1]; only the adversarial view's are read */
};

/* What a step computed; arrays live in the step until its next run. */
struct step_result {
    double total; /* the weighted sum of */
    double
        terms[LOSS_MAX_ROWS]; /* by row of losses[]: mean over the term's views before
                                    weighting, 0 where it is no part of the loss */
    int64_t correct_clean, correct_adv;
    int64_t n_clean, n_aug, n_adv; /* images of each view, 0 where it is left out */
    const float *logits_clean, *logits_aug, *logits_adv; /* (n_..., classes) */
    const float *x_adv;                                  /* (n_adv,c,h,w) */
};

struct step;

/* The nets are borrowed. teacher is NULL for STEP_TEACHER and STEP_SENSITIVITY. Both
 * have max_batch >= views_room(batch, batch norm paths of the student); the student has
 * gradients. Of `config` nothing is kept. */
/* What of the teacher's inner values such a step reads. With NET_KEEP_WATCHED the teacher
 * may borrow no more than the student's workspaces (net.h). */
enum net_keep step_keep_of_teacher(const struct step_config *config);

MUST_CHECK int step_new(struct step **out, const struct step_config *config,
                        struct net *student, struct net *teacher, int64_t batch,
                        struct err *err);
void step_free(struct step *s);

/* 1 <= batch->n <= batch. Of a batch of one image there is only the adversarial view
 * where the student has several batch norms.
 * The optimiser step has been made with `lr`; what the student's net_params hold more than
 * optim_sgd_start is the gradient. NaN or Inf in a loss is ERR_NUMERIC naming the term;
 * parameters and running statistics are then left as they were before the step, and the
 * student's momentum is undefined (the scores of the mask stage may count the refused
 * batch): whoever wants to go on goes back to a checkpoint. */
MUST_CHECK int step_run(struct step *s, const struct step_batch *batch, double lr,
                        struct step_result *result, struct err *err);

/* Is the term losses[row] a part of the loss? */
bool step_has_term(const struct step *s, int row);

/* Does a step compute this view? */
bool step_takes(const struct step *s, enum loss_view_id view);

/* Multiply-adds of one step on n images: a forward pass 1, backward 2, backward to the
 * input alone 1 of the network's graph_macs. For measuring. */
double step_macs(const struct step *s, int64_t n);

/* STEP_MASK: the sums D^l (methods.md 4.3 (6)) over the steps since the last clear, one
 * (C,H,W) plain array for each mask. */
void step_scores(const struct step *s, int mask, float *chw);
void step_scores_clear(struct step *s);

/* For checkpoints: all D as one array of step_scores_size floats in a private
 * layout that does not depend on the backend. */
int64_t step_scores_size(const struct step *s);
float *step_scores_data(struct step *s);

#endif
