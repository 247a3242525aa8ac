/* step_options.c - which parameters of a stage its steps depend on. Members that the
 * stage has no row for are 0 or NULL, and the step then takes its own default. */
#include "worker/pipeline/step_options.h"

struct step_config
step_options(const struct stage_config *c, enum step_stage stage)
{
    struct step_config step = {
        .stage = stage,
        .loss_weights = c->loss_weights,
        .pram_form = c->pram_form,
        .pram_views = c->pram_views,
        .temperature = c->temperature,
        .attack = c->attack,
        .eps = c->eps,
        .attack_step = c->attack_step,
        .attack_steps = c->attack_steps,
        .momentum = c->momentum,
        .weight_decay = c->weight_decay,
    };

    switch (stage) {
    case STEP_TEACHER:
        step.loss = c->teacher_loss;
        step.ce_views = c->teacher_views;
        step.temperature = c->teacher_temperature;
        break;
    case STEP_MASK:
        step.loss = c->mask_loss;
        step.ce_views = step.kl_views = c->mask_views;
        break;
    case STEP_FINETUNE:
        step.loss = c->loss;
        step.ce_views = c->ce_views;
        step.kl_views = c->kl_views;
        break;
    case STEP_SENSITIVITY: step.ce_views = "clean"; break;
    }
    return step;
}
