/*
 * sensitivity.c - stage sensitivity: how much each layer can be pruned (methods.md 4.2).
 * The all-ReLU network with one batch norm learns the clean images while most of its
 * convolution weights are zero; the share of the weights before an activation that are
 * not is its pruning sensitivity. Its artifact is that sparse network: the mask stage
 * reads the shares off its weights.
 */
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/sparse.h"
#include "worker/pipeline/trainer.h"

/* Of this process's one stage: made at the beginning, when the steps are known. */
struct own {
    struct sparse *sparse;
};

static int
begin(struct trainer *t, struct err *err)
{
    const struct stage_config *c = &t->context->config;
    struct own *own = t->plan->own;
    const struct sparse_config config = {.density = c->sensitivity_density,
                                         .prune = c->sensitivity_prune,
                                         .interval = c->sensitivity_interval,
                                         .steps = t->plan->epochs * t->steps_per_epoch};

    model_find(c->model)->init(t->net, t->seed);
    return sparse_new(&own->sparse, t->net, &config, t->seed, err);
}

static void
after_step(struct trainer *t)
{
    const struct own *own = t->plan->own;

    sparse_after_step(own->sparse, trainer_step_number(t));
}

static float *
extra(struct trainer *t, int64_t *n)
{
    const struct own *own = t->plan->own;

    return sparse_data(own->sparse, n);
}

/* The densities so far, as curves. */
static int
end_epoch(struct trainer *t, struct err *err)
{
    const int n = graph_n_masks(net_graph(t->net));
    struct metric *points = xcalloc((size_t)n, sizeof *points);
    struct arena mem = {0};

    for (int i = 0; i < n; i++)
        points[i] = (struct metric){.name = arena_printf(&mem, "density/%d", i),
                                    .value = sparse_density(network_conv_before(
                                        t->net, t->context->config.model, i)),
                                    .step = t->state.counts.epoch};
    const int rc = events_metrics(t->context->events, points, (size_t)n, err);
    arena_release(&mem);
    free(points);
    return rc;
}

static int
run(struct stage_context *ctx, struct err *err)
{
    struct own own = {NULL};
    const struct trainer_plan plan = {
        .stage = STEP_SENSITIVITY,
        .epochs = ctx->config.sensitivity_epochs,
        .lr = ctx->config.sensitivity_lr,
        .milestones = ctx->config.sensitivity_milestones,
        .begin = begin,
        .end_epoch = end_epoch,
        .after_step = after_step,
        .extra = extra,
        .own = &own,
        .keep_last = true,
    };

    ctx->config.select_on = "last";
    const int rc = trainer_run(ctx, &plan, err);
    sparse_free(own.sparse);
    return rc;
}

const struct stage stage_sensitivity = {
    .name = "sensitivity",
    .doc = "measures how far each layer can be pruned",
    .run = run,
};
