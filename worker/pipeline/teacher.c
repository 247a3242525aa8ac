/*
 * teacher.c - stage teacher: an all-ReLU network from random parameters (methods.md
 * 4.1), or one that was trained elsewhere and imported.
 */
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "worker/pipeline/model_import.h"
#include "worker/pipeline/model_loaded.h"
#include "worker/pipeline/trainer.h"

static const char model_name[] = "model.safetensors";

/* ---- imported -------------------------------------------------------------------- */

static int
check_import(const struct model_info *info, const struct stage_config *c,
             struct err *err)
{
    if (info->role != MODEL_TEACHER || strcmp(info->model, c->model) != 0
        || strcmp(info->dataset, c->dataset) != 0)
        return err_set(err, ERR_USAGE, "`teacher`: %s is %s on %s, the job is %s on %s",
                       c->teacher, info->model, info->dataset, c->model, c->dataset);
    return 0;
}

static int
tell_import(const struct stage_context *ctx, const struct model_loaded *m,
            struct err *err)
{
    const double relus = (double)m->info.relu_count;
    const struct metric finals[] = {
        {.name = "relus", .value = relus, .step = -1, .unit = "ReLUs"},
        {.name = "selected_on_test", .value = 0, .step = -1, .unit = ""},
    };

    return events_result(ctx->events, finals, sizeof finals / sizeof finals[0],
                         model_name, err);
}

static int
run_import(struct stage_context *ctx, const char *digest, struct err *err)
{
    char *path = file_join(ctx->dir, model_name);
    struct model_loaded m = {0};

    int rc = model_import_fetch(digest, ctx->data_dir, path, err);
    if (rc == 0)
        rc = model_loaded_open(&m, path, err);
    if (rc == 0)
        rc = check_import(&m.info, &ctx->config, err);
    if (rc == 0)
        rc = tell_import(ctx, &m, err);
    model_loaded_release(&m);
    free(path);
    return rc;
}

/* ---- trained --------------------------------------------------------------------- */

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
    const char *teacher = ctx->config.teacher;
    const char *digest = model_import_digest(teacher);

    if (digest != NULL)
        return run_import(ctx, digest, err);
    if (strcmp(teacher, "train") != 0)
        return err_set(err, ERR_USAGE, "`teacher` is `train` or `import:<digest>`");
    return trainer_run(ctx, &plan, err);
}

const struct stage stage_teacher = {
    .name = "teacher",
    .doc = "trains the all-ReLU network, or takes an imported one",
    .run = run,
};
