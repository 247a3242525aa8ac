/* finetune.c - stage finetune: the mask search's best student goes on with its masks
 * fixed and a fresh optimiser (methods.md 4.4). */
#include "worker/pipeline/trainer.h"

static int
begin(struct trainer *t, struct err *err)
{
    struct model_file *file;

    if (trainer_open_input(&file, t->context, "mask", MODEL_STUDENT, err) != 0)
        return -1;
    const int rc = model_file_load(t->net, file, err);
    model_file_free(file);
    return rc;
}

static int
run(struct stage_context *ctx, struct err *err)
{
    const struct trainer_plan plan = {
        .stage = STEP_FINETUNE,
        .epochs = ctx->config.finetune_epochs,
        .lr = ctx->config.finetune_lr,
        .milestones = ctx->config.finetune_milestones,
        .begin = begin,
    };

    return trainer_run(ctx, &plan, err);
}

const struct stage stage_finetune = {
    .name = "finetune",
    .doc = "trains the masked network on",
    .run = run,
};
