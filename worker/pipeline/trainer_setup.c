/* trainer_setup.c - data, nets and the step of a training stage, by its parameters. */
#include "worker/pipeline/trainer_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/step_options.h"
#include "worker/pipeline/views.h"

/* Stages of one cell share its seed but not their streams: a student does not start
 * from the numbers that its teacher started from. */
static uint64_t
stream_seed(int64_t seed, enum step_stage stage)
{
    return (uint64_t)seed | (uint64_t)(stage + 1) << 56;
}

/* A last batch of one image has no clean half: it is left out. */
static int64_t
count_steps(const struct trainer *t)
{
    const int64_t batches = loader_batches(t->data.batches);

    return t->data.split.n_train % t->context->config.batch == 1 ? batches - 1
                                                                 : batches;
}

static int
check_input(const struct model_info *info, const struct stage_config *c,
            enum model_role role, const char *path, struct err *err)
{
    if (info->role != role)
        return err_set(err, ERR_DATA, "%s: is a %s, needed is a %s", path,
                       info->role == MODEL_TEACHER ? "teacher" : "student",
                       role == MODEL_TEACHER ? "teacher" : "student");
    if (strcmp(info->model, c->model) != 0 || strcmp(info->dataset, c->dataset) != 0)
        return err_set(err, ERR_DATA, "%s: is %s on %s, needed is %s on %s", path,
                       info->model, info->dataset, c->model, c->dataset);
    return 0;
}

int
trainer_open_input(struct model_file **out, const struct stage_context *context,
                   const char *stage, enum model_role role, struct err *err)
{
    char *path = stage_input_path(context, stage, "model");

    int rc = model_file_open(out, path, err);
    if (rc == 0)
        rc = check_input(model_file_info(*out), &context->config, role, path, err);
    if (rc != 0) {
        model_file_free(*out);
        *out = NULL;
    }
    free(path);
    return rc == 0 ? 0 : err_wrap(err, "input `%s`", stage);
}

static struct network_config
network_of(const struct trainer *t)
{
    const struct stage_config *c = &t->context->config;
    const bool student = t->plan->stage == STEP_MASK || t->plan->stage == STEP_FINETUNE;
    const bool shared = c->teacher_bn != NULL && strcmp(c->teacher_bn, "shared") == 0;

    return (struct network_config){
        .model = c->model,
        .data = &t->data.train,
        .role = student ? MODEL_STUDENT : MODEL_TEACHER,
        .bn_paths = t->bn_paths,
        .shared_shortcut_bn = !student && shared,
        .backend = t->context->backend,
        .team = t->context->team,
        .max_batch = views_room(c->batch, t->bn_paths),
        .gradients = true,
        .keep = NET_KEEP_LOGITS,
        .packing = NET_PACK_LATE,
    };
}

static int
load_teacher(struct trainer *t, struct err *err)
{
    struct model_file *file;

    if (trainer_open_input(&file, t->context, "teacher", MODEL_TEACHER, err) != 0)
        return -1;
    const struct step_config step = step_options(&t->context->config, t->plan->stage);
    struct network_config config = network_of(t);
    config.role = MODEL_TEACHER;
    config.bn_paths = model_file_info(file)->bn_paths;
    config.shared_shortcut_bn = model_file_info(file)->shared_shortcut_bn;
    config.gradients = false;
    config.keep = step_keep_of_teacher(&step);
    config.lender = t->net; /* whose forward pass comes after the teacher's, */
    config.brief = config.keep == NET_KEEP_GROUPS; /* and after notes of its maps */
    int rc = network_new(&t->teacher, &config, err);
    if (rc == 0)
        rc = model_file_load(t->teacher, file, err);
    model_file_free(file);
    return rc;
}

static int
make_step(struct trainer *t, struct err *err)
{
    const struct stage_config *c = &t->context->config;
    const struct dataset *d = &t->data.train;
    const size_t pixels = (size_t)(c->batch * d->c * d->h * d->w);
    const struct step_config config = step_options(c, t->plan->stage);

    t->start = mem_large_alloc(pixels * sizeof *t->start);
    if (t->start == NULL)
        return err_set(err, ERR_OOM, "no memory for a batch of the attack");
    if (snapshot_init(&t->best, t->net, err) != 0)
        return -1;
    return step_new(&t->step, &config, t->net, t->teacher, c->batch, err);
}

int
trainer_setup(struct trainer *t, struct err *err)
{
    struct stage_context *ctx = t->context;
    const struct trainer_plan *plan = t->plan;

    t->seed = stream_seed(ctx->config.seed, plan->stage);
    t->state.counts.epoch = 1;
    t->bn_paths = network_bn_paths(ctx->config.bn);
    if (schedule_init(&t->schedule, plan->epochs, plan->lr, plan->milestones, err) != 0)
        return -1;
    if (training_data_init(&t->data, ctx, t->seed, err) != 0)
        return -1;
    t->steps_per_epoch = count_steps(t);
    const struct network_config config = network_of(t);
    if (network_new(&t->net, &config, err) != 0)
        return -1;
    if (config.role == MODEL_STUDENT && load_teacher(t, err) != 0)
        return -1;
    return make_step(t, err);
}

void
trainer_setup_release(struct trainer *t)
{
    step_free(t->step);
    net_free(t->net);
    net_free(t->teacher);
    mem_large_free(t->start);
    snapshot_release(&t->best);
    training_data_release(&t->data);
}

struct model_info
trainer_setup_info(const struct trainer *t)
{
    const struct network_config net = network_of(t);
    const struct stage_config *c = &t->context->config;
    const int64_t n = t->state.counts.best_n;
    struct model_info info = {
        .classes = t->data.train.classes,
        .role = net.role,
        .bn_paths = net.bn_paths,
        .shared_shortcut_bn = net.shared_shortcut_bn,
        .relu_count = network_relus(t->net),
        .val_accuracy =
            n > 0 ? 100.0 * (double)t->state.counts.best_correct / (double)n : -1,
    };

    snprintf(info.model, sizeof info.model, "%s", c->model);
    snprintf(info.dataset, sizeof info.dataset, "%s", c->dataset);
    snprintf(info.selected_on, sizeof info.selected_on, "%s", c->select_on);
    return info;
}
