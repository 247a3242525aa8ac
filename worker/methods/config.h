#ifndef WORKER_METHODS_CONFIG_H
#define WORKER_METHODS_CONFIG_H

#include <stdint.h>

/*
 * Everything that a stage of worker/pipeline can be told. A method's parameter tables
 * have rows on the members that a stage depends on, and on no others: they enter its
 * job's digest, and members without a row stay 0 or NULL.
 */
struct stage_config {
    /* what is trained on what */
    const char *dataset, *model;
    const char *bn; /* batch norms: "single" | "dual" | "triple"; NULL: single */
    int64_t seed;
    int64_t train_images;    /* 0: all that the validation part leaves */
    int64_t val_images;      /* held out of the training part, stratified */
    const char *select_on;   /* "validation" | "last" | "test" */
    const char *teacher;     /* "train" | "import:<digest>" (pipeline/model_import.h) */
    const char *teacher_bn;  /* shortcut BN of the teacher: "shared" | "dual" */
    const char *relu_budget; /* "50000", "10%", "all" */

    /* optimiser; the members of one stage each */
    int64_t batch;
    double momentum, weight_decay;
    int64_t teacher_epochs, mask_epochs, finetune_epochs, sensitivity_epochs;
    double teacher_lr, mask_lr, finetune_lr, sensitivity_lr;
    const char *teacher_milestones, *mask_milestones, *finetune_milestones,
        *sensitivity_milestones;

    /* losses and the attack inside a step (worker/pipeline/step.h) */
    const char *teacher_loss, *mask_loss, *loss, *loss_weights, *pram_form;
    const char *teacher_views, *mask_views, *ce_views, *kl_views, *pram_views;
    double temperature, teacher_temperature;
    const char *attack; /* "auto" or a name of the attacks' registry */
    double eps, attack_step;
    int64_t attack_steps;

    /* sensitivity: sparse training (worker/pipeline/sparse.h) */
    double sensitivity_density, sensitivity_prune;
    int64_t sensitivity_interval;

    /* mask search */
    const char *budgets;   /* "eta" | "measured" | "released/..." */
    const char *mask_init; /* "pattern" | "exact" */
    const char *mask_topk; /* "exact" | "released" */

    /* evaluation */
    const char *evaluate; /* set of "clean", "corruptions" and attacks */
    int64_t eval_images, corruption_images, attack_images; /* 0: the whole test part */
    const char *corruption_kinds; /* set of corruptions, or "all" */
    const char *attack_paths;     /* set of "clean", "adv": batch norms attacked */
    double eval_eps, eval_step;   /* of its attacks; step 0: the attack's own */
    int64_t eval_steps, restarts; /* steps 0: the attack's own */
};

#endif
