/*
 * evaluate.c - stage evaluate: the test images' numbers of one trained network
 * (methods.md 2.4, 3), part by part (eval_part.h). The only stage that reads the test
 * part by default. Corrupted images are the same for every job. What is known so
 * far is kept in checkpoints, in the middle of a part too: nothing is measured twice.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "worker/data/corrupted.h"
#include "worker/pipeline/eval_file.h"
#include "worker/pipeline/eval_metrics.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/stage.h"
#include "worker/pipeline/tally.h"

enum { BATCH = 64 };
static const char answers_file[] = "answers.safetensors";

struct evaluation {
    struct stage_context *context;
    struct dataset test;
    struct model_info info;
    struct net *net;
    struct eval_parts parts;
    struct corrupted *corrupted; /* NULL where no part needs it */
    float *images;               /* (BATCH,c,h,w): corrupted or attacked */
    int64_t passes;              /* of all parts */
    int64_t resumed;             /* of them, done by an earlier attempt */
    double started_s, checkpoint_s;
    int64_t kept[2]; /* the last two checkpoints, where nobody collects them */
};

/* ---- checkpoints ----------------------------------------------------------------- */

static void
remove_checkpoint(const struct evaluation *e, int64_t step)
{
    char *path = xasprintf("%s/checkpoint-%" PRId64, e->context->dir, step);

    unlink(path);
    free(path);
}

/* Called by the passes that are done. */
static int
save_checkpoint(struct evaluation *e, struct err *err)
{
    const int64_t step = eval_parts_passes_done(&e->parts);
    char *file = xasprintf("checkpoint-%" PRId64, step);
    char *path = file_join(e->context->dir, file);

    int rc = eval_file_save(&e->parts, e->context->digest, path, err);
    if (rc == 0)
        rc = events_checkpoint(e->context->events, step, file, err);
    if (rc == 0 && !e->context->keep_checkpoints && e->kept[0] != step) {
        if (e->kept[1] > 0)
            remove_checkpoint(e, e->kept[1]);
        e->kept[1] = e->kept[0];
        e->kept[0] = step;
    }
    e->checkpoint_s = clock_mono_s();
    free(file);
    free(path);
    return rc;
}

/* Goes on from the folder's `resume`. A useless one is given back for the one before. */
static int
resume(struct evaluation *e, struct err *err)
{
    char *path = file_join(e->context->dir, "resume");
    int rc = 0;

    if (file_exists(path)
        && eval_file_load(&e->parts, e->context->digest, path, err) != 0) {
        if (err->kind == ERR_DATA)
            err->kind = ERR_CHECKPOINT;
        rc = -1;
    }
    free(path);
    e->resumed = eval_parts_passes_done(&e->parts);
    if (e->resumed > 0)
        log_info("evaluate", "resumed passes=%" PRId64 "/%" PRId64, e->resumed,
                 e->passes);
    return rc;
}

/* ---- one batch ------------------------------------------------------------------- */

static int
classify(struct evaluation *e, const struct eval_part *part, const float *x,
         const struct loader_batch *b, struct err *err)
{
    const float *logits = net_forward(e->net, x, b->n, NET_EVAL, part->path);

    return tally_right(part->right + part->done, logits, e->test.classes, b->y, b->n,
                       err);
}

static int
classify_corrupted(struct evaluation *e, const struct eval_part *part,
                   const struct loader_batch *b, struct err *err)
{
    if (corrupted_fill(e->images, e->corrupted, b->sample, b->n, e->context->team, err)
        != 0)
        return -1;
    return classify(e, part, e->images, b, err);
}

static int
attack(struct evaluation *e, const struct eval_part *part, const struct loader_batch *b,
       struct err *err)
{
    const struct attack_target target = {.net = e->net,
                                         .path = part->path,
                                         .y = b->y,
                                         .temperature = 1,
                                         .classes = e->test.classes};
    const struct attack_batch batch = {.x = b->x,
                                       .sample = b->sample,
                                       .n = b->n,
                                       .seed = (uint64_t)e->context->config.seed};

    return attack_restarts(e->images, part->right + part->done, &batch, part->attack,
                           &target, &part->attack_config, e->context->config.restarts,
                           err);
}

static int
measure_batch(struct evaluation *e, const struct eval_part *part,
              const struct loader_batch *b, struct err *err)
{
    switch (part->kind) {
    case EVAL_CORRUPTED: return classify_corrupted(e, part, b, err);
    case EVAL_ATTACKED: return attack(e, part, b, err);
    case EVAL_CLEAN:
    case EVAL_KINDS: break;
    }
    return classify(e, part, b->x, b, err);
}

/* After a batch: tells, keeps, and gives up when asked to. */
static int
batch_done(struct evaluation *e, struct err *err)
{
    const int64_t done = eval_parts_passes_done(&e->parts);
    const double now = clock_mono_s(), seconds = now - e->started_s;
    const double rate = (double)(done - e->resumed) / seconds;
    const struct events_progress p = {.step = done,
                                      .steps = e->passes,
                                      .images_per_second = rate,
                                      .loss = (double)NAN,
                                      .seconds_left =
                                          (double)(e->passes - done) / rate};
    const bool stop = stage_stop_wanted();

    if (events_progress(e->context->events, &p, err) != 0)
        return -1;
    if ((stop || now - e->checkpoint_s >= e->context->checkpoint_seconds)
        && save_checkpoint(e, err) != 0)
        return -1;
    return stop ? err_set(err, ERR_STOPPED, "asked to stop during evaluation") : 0;
}

/* ---- the parts ------------------------------------------------------------------- */

static int
run_batches(struct evaluation *e, struct eval_part *part, struct loader *l,
            struct err *err)
{
    while (part->done < part->n) {
        const struct loader_batch b = loader_get(l, 1, part->done / BATCH, 0);
        if (measure_batch(e, part, &b, err) != 0)
            return -1;
        part->done += b.n;
        if (batch_done(e, err) != 0)
            return -1;
    }
    return 0;
}

static int
run_part(struct evaluation *e, struct eval_part *part, struct err *err)
{
    const struct loader_config config = {
        .data = &e->test, .order = part->order, .n = part->n, .batch = BATCH};

    if (part->kind == EVAL_CORRUPTED
        && corrupted_select(e->corrupted, part->corruption, part->severity, err) != 0)
        return -1;
    struct loader *l = loader_new(&config, e->context->team);
    if (l == NULL)
        return err_set(err, ERR_OOM, "no memory for a batch of images");
    const int rc = run_batches(e, part, l, err);
    loader_free(l);
    if (rc == 0)
        log_info("evaluate", "done=%s accuracy=%.2f images=%" PRId64, part->name,
                 eval_part_percent(part), part->done);
    return rc;
}

/* Parts whose numbers are there already are passed over. */
static int
measure(struct evaluation *e, struct err *err)
{
    e->passes = eval_parts_passes(&e->parts);
    if (resume(e, err) != 0)
        return -1;
    e->started_s = e->checkpoint_s = clock_mono_s();
    for (size_t i = 0; i < e->parts.n; i++) {
        struct eval_part *part = &e->parts.items[i];
        if (part->done < part->n && run_part(e, part, err) != 0)
            return err_wrap(err, "evaluate %s", part->name);
    }
    return 0;
}

static int
tell(struct evaluation *e, struct err *err)
{
    char *path = file_join(e->context->dir, answers_file);
    struct eval_metrics m = {0};

    eval_metrics_of_parts(&m, &e->parts, &e->test, e->info.dataset);
    if (e->corrupted != NULL)
        eval_metrics_of_corruptions(&m, corrupted_origin(e->corrupted)
                                            == CORRUPTED_PUBLISHED);
    eval_metrics_of_network(&m, e->net);
    eval_metrics_of_selection(&m, &e->info);
    int rc = eval_file_save(&e->parts, e->context->digest, path, err);
    if (rc == 0)
        rc = events_result_artifact(e->context->events, m.items, m.n, "answers",
                                    answers_file, err);
    eval_metrics_release(&m);
    free(path);
    return rc;
}

/* ---- the stage ------------------------------------------------------------------- */

/* The network to evaluate is the one input of the job, whatever its stage is called. */
static int
open_only_input(struct model_file **out, const struct stage_context *ctx,
                struct err *err)
{
    json_t *inputs = json_object_get(ctx->spec, "inputs");
    const char *stage = json_object_iter_key(json_object_iter(inputs));

    if (json_object_size(inputs) != 1)
        return err_set(err, ERR_DATA, "spec: evaluate needs exactly one input, not %zu",
                       json_object_size(inputs));
    char *path = stage_input_path(ctx, stage, "model");
    const int rc = model_file_open(out, path, err);
    free(path);
    return rc == 0 ? 0 : err_wrap(err, "input `%s`", stage);
}

static int
load_network(struct evaluation *e, const struct model_file *file, struct err *err)
{
    const struct stage_config *c = &e->context->config;
    const struct network_config config = {
        .model = e->info.model,
        .data = &e->test,
        .role = e->info.role,
        .bn_paths = e->info.bn_paths,
        .shared_shortcut_bn = e->info.shared_shortcut_bn,
        .backend = e->context->backend,
        .team = e->context->team,
        .max_batch = BATCH,
        .gradients = true, /* for attacks */
        .frozen = true,
        .keep = NET_KEEP_LOGITS,
    };

    if (strcmp(e->info.model, c->model) != 0
        || strcmp(e->info.dataset, c->dataset) != 0)
        return err_set(err, ERR_DATA, "the input is %s on %s, the job is %s on %s",
                       e->info.model, e->info.dataset, c->model, c->dataset);
    if (network_new(&e->net, &config, err) != 0)
        return -1;
    return model_file_load(e->net, file, err);
}

static int
open_corrupted(struct evaluation *e, struct err *err)
{
    const struct stage_context *ctx = e->context;

    for (size_t i = 0; i < e->parts.n; i++)
        if (e->parts.items[i].kind == EVAL_CORRUPTED)
            return corrupted_open(&e->corrupted, ctx->config.dataset, ctx->data_dir,
                                  &e->test, err);
    return 0;
}

static int
prepare(struct evaluation *e, struct err *err)
{
    const struct stage_context *ctx = e->context;
    struct model_file *file = NULL;

    if (open_only_input(&file, ctx, err) != 0)
        return -1;
    e->info = *model_file_info(file);
    int rc =
        dataset_load(&e->test, ctx->config.dataset, ctx->data_dir, DATASET_TEST, err);
    if (rc == 0)
        rc = load_network(e, file, err);
    model_file_free(file);
    if (rc != 0
        || eval_parts_init(&e->parts, &ctx->config, &e->test, e->info.bn_paths, err)
               != 0
        || open_corrupted(e, err) != 0)
        return -1;
    const size_t floats = (size_t)(BATCH * e->test.c * e->test.h * e->test.w);
    e->images = mem_large_alloc(floats * sizeof *e->images);
    return e->images != NULL ? 0
                             : err_set(err, ERR_OOM, "no memory for a batch of images");
}

static int
run(struct stage_context *ctx, struct err *err)
{
    struct evaluation e = {.context = ctx};

    int rc = prepare(&e, err);
    if (rc == 0)
        rc = measure(&e, err);
    if (rc == 0)
        rc = tell(&e, err);
    mem_large_free(e.images);
    corrupted_close(e.corrupted);
    eval_parts_release(&e.parts);
    net_free(e.net);
    dataset_release(&e.test);
    return rc;
}

const struct stage stage_evaluate = {
    .name = "evaluate",
    .doc = "measures a trained network on the test images",
    .run = run,
};
