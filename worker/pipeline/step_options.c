/* step_options.c - which parameters of a stage its steps depend on. Members that the
 * stage has no row for are 0 or NULL, and the step then takes its own default. */
#include "worker/pipeline/step_options.h"

static const char *
loss_of(const struct stage_config *c, enum step_stage stage)
{
    switch (stage) {
    case STEP_TEACHER: break; /* the only one it can have */
    case STEP_MASK: return c->mask_loss;
    case STEP_FINETUNE: return c->loss;
    }
    return NULL;
}

struct step_config
step_options(const struct stage_config *c, enum step_stage stage)
{
    return (struct step_config){
        .stage = stage,
        .loss = loss_of(c, stage),
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
}
