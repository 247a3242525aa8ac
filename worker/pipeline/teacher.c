/* teacher.c - stage teacher: an all-ReLU network from random parameters (methods.md
 * 4.1). */
#include "worker/pipeline/trainer.h"

static int
begin(struct trainer *t, struct err *err)
{
    (void)err;
    model_find(t->context->config.model)->init(t->net, t->seed);
    net_params_changed(t->net);
    return 0;
}

static int
run(struct stage_context *ctx, struct err *err)
{
    const struct trainer_plan plan = {
        .stage = STEP_TEACHER,
        .epochs = ctx->config.teacher_epochs,
        .lr = ctx->config.teacher_lr,
        .milestones = ctx->config.teacher_milestones,
        .begin = begin,
    };

    return trainer_run(ctx, &plan, err);
}

const struct stage stage_teacher = {
    .name = "teacher",
    .doc = "trains the all-ReLU network",
    .run = run,
};
