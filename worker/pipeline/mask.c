/*
 * mask.c - stage mask: which ReLUs to keep (methods.md 4.2, 4.3). A student from random
 * parameters learns from the teacher; after each epoch the places of each layer where
 * its activations differ most from the teacher's become the new mask.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/models/released_budgets.h"
#include "worker/pipeline/mask_rule.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/sparse.h"
#include "worker/pipeline/trainer.h"

/* eta of every layer from the sparse network of stage sensitivity: 1 minus the share of
 * weights that it kept, never 0. */
static int
measured_sensitivity(double *eta, int n, const struct trainer *t, struct err *err)
{
    const struct stage_context *ctx = t->context;
    struct model_file *file;
    struct net *sparse = NULL;

    if (trainer_open_input(&file, ctx, "sensitivity", MODEL_TEACHER, err) != 0)
        return -1;
    const struct network_config config = {.model = ctx->config.model,
                                          .data = &t->data.train,
                                          .role = MODEL_TEACHER,
                                          .bn_paths = model_file_info(file)->bn_paths,
                                          .backend = ctx->backend,
                                          .team = ctx->team,
                                          .max_batch = 1};
    int rc = network_new(&sparse, &config, err);
    if (rc == 0)
        rc = model_file_load(sparse, file, err);
    for (int l = 0; rc == 0 && l < n; l++)
        eta[l] =
            fmax(1e-3,
                 1 - sparse_density(network_conv_before(sparse, ctx->config.model, l)));
    net_free(sparse);
    model_file_free(file);
    return rc;
}

/* Budgets proportional to the sensitivities, published or measured. */
static int
proportional_budgets(int64_t *count, const int64_t *size, int n,
                     const struct trainer *t, struct err *err)
{
    const struct stage_config *c = &t->context->config;
    const bool measured = strcmp(c->budgets, "measured") == 0;
    double *eta = xcalloc((size_t)n, sizeof *eta);
    int64_t budget;

    model_find(c->model)->sensitivity(eta, n);
    int rc = measured ? measured_sensitivity(eta, n, t, err) : 0;
    if (rc == 0)
        rc = model_resolve_budget(&budget, c->relu_budget, net_graph(t->net), err);
    if (rc == 0)
        rc = model_layer_budgets(count, eta, size, n, budget, err);
    free(eta);
    return rc;
}

static int
released_counts(int64_t *count, const int64_t *size, int n, const struct trainer *t,
                struct err *err)
{
    const struct stage_config *c = &t->context->config;
    const struct released_budgets *list =
        released_budgets_find(c->budgets, c->model, c->relu_budget, t->data.train.h);

    if (list == NULL)
        return err_set(err, ERR_USAGE, "no budgets were released for %s with %s ReLUs",
                       c->model, c->relu_budget);
    return released_budgets_counts(count, list, size, n, err);
}

/* Budget of every layer (methods.md 4.2); caller frees. */
static int
layer_budgets(int64_t **out, const struct trainer *t, struct err *err)
{
    const char *how = t->context->config.budgets;
    const bool released = strncmp(how, "released", strlen("released")) == 0;
    const int n = graph_n_masks(net_graph(t->net));
    int64_t *count = xcalloc((size_t)n, sizeof *count);
    int64_t *size = xcalloc((size_t)n, sizeof *size);

    for (int i = 0; i < n; i++)
        size[i] = network_mask_size(t->net, i);
    const int rc = released ? released_counts(count, size, n, t, err)
                            : proportional_budgets(count, size, n, t, err);
    free(size);
    if (rc != 0)
        free(count);
    else
        *out = count;
    return rc;
}

static void
first_mask(struct trainer *t, int index, int64_t k)
{
    const struct graph_shape shape = graph_mask_shape(net_graph(t->net), index);
    const int64_t size = network_mask_size(t->net, index);
    uint8_t *mask = xmalloc((size_t)size);
    struct rng rng = rng_stream(t->seed, RNG_MASK, 0, (uint64_t)index);

    if (strcmp(t->context->config.mask_init, "exact") == 0)
        mask_rule_random(mask, size, k, &rng);
    else
        mask_rule_pattern(mask, shape, k, &rng);
    net_set_mask(t->net, index, mask);
    free(mask);
}

/* What the stage knows beside the trainer's state. */
struct own {
    int64_t *count; /* budget of every layer */
};

static int
begin(struct trainer *t, struct err *err)
{
    struct own *own = t->plan->own;

    if (layer_budgets(&own->count, t, err) != 0)
        return -1;
    model_find(t->context->config.model)->init(t->net, t->seed);
    net_params_changed(t->net);
    for (int i = 0; i < graph_n_masks(net_graph(t->net)); i++)
        first_mask(t, i, own->count[i]);
    return 0;
}

/* Sets the top-k mask of one layer. Returns how many places changed. */
static int64_t
next_mask(struct trainer *t, int index, int64_t k)
{
    const bool strict = strcmp(t->context->config.mask_topk, "released") == 0;
    const int64_t size = network_mask_size(t->net, index);
    float *score = xmalloc((size_t)size * sizeof *score);
    uint8_t *before = xmalloc((size_t)size), *mask = xmalloc((size_t)size);
    int64_t changed = 0;

    net_get_mask(t->net, index, before);
    step_scores(t->step, index, score);
    mask_rule_top(mask, score, size, k, strict);
    net_set_mask(t->net, index, mask);
    for (int64_t i = 0; i < size; i++)
        changed += mask[i] != before[i];
    free(score);
    free(before);
    free(mask);
    return changed;
}

static void
next_masks(struct trainer *t)
{
    const struct own *own = t->plan->own;

    t->state.counts.masked_changes = 0;
    for (int i = 0; i < graph_n_masks(net_graph(t->net)); i++)
        t->state.counts.masked_changes += next_mask(t, i, own->count[i]);
    t->state.counts.masked_epoch = t->state.counts.epoch;
}

/* After a stop in the validation the masks are there already. */
static int
end_epoch(struct trainer *t, struct err *err)
{
    const int64_t epoch = t->state.counts.epoch;

    if (t->state.counts.masked_epoch != epoch)
        next_masks(t);
    const struct metric point = {.name = "mask/changed",
                                 .value = (double)t->state.counts.masked_changes,
                                 .step = epoch,
                                 .unit = "ReLUs"};
    return events_metrics(t->context->events, &point, 1, err);
}

static float *
extra(struct trainer *t, int64_t *n)
{
    *n = step_scores_size(t->step);
    return step_scores_data(t->step);
}

static int
run(struct stage_context *ctx, struct err *err)
{
    struct own own = {NULL};
    const struct trainer_plan plan = {
        .stage = STEP_MASK,
        .epochs = ctx->config.mask_epochs,
        .lr = ctx->config.mask_lr,
        .milestones = ctx->config.mask_milestones,
        .begin = begin,
        .end_epoch = end_epoch,
        .extra = extra,
        .own = &own,
    };

    const int rc = trainer_run(ctx, &plan, err);
    free(own.count);
    return rc;
}

const struct stage stage_mask = {
    .name = "mask",
    .doc = "searches the ReLUs to keep",
    .run = run,
};
