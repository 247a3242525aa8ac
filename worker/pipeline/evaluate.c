/*
 * evaluate.c - stage evaluate: the test images' numbers of one trained network
 * (methods.md 2.4, 3). Clean and corrupted images go through path 0, attacked ones
 * through path 1, for the attack and for the prediction. This is the only stage that
 * reads the test part by default. Corrupted images are the same for every job.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/base/param.h"
#include "worker/attacks/attack.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/pipeline/model_file.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/stage.h"
#include "worker/pipeline/tally.h"

enum { BATCH = 64, SEVERITIES = 5, PATH_CLEAN = 0, PATH_ADV = 1, CORRUPT_SEED = 0 };

struct evaluation {
    struct stage_context *context;
    struct dataset test;
    struct model_info info;
    struct net *net;
    float *images; /* (BATCH,c,h,w): corrupted or attacked */
    float *start;  /* (BATCH,c,h,w) */
    struct metric *finals;
    size_t n_finals, capacity;
    struct arena names;
    /* progress in passes of one image through the network, forward or backward */
    int64_t done, all;
    double started_s;
};

/* The images of one measurement: the whole test part, or a stratified subset. */
struct subset {
    int64_t *order; /* indices into the test part */
    int64_t n;
    struct loader *batches;
};

static void
add_final(struct evaluation *e, const char *name, double value, const char *unit,
          enum metric_goal goal)
{
    e->finals = xgrow(e->finals, &e->capacity, e->n_finals + 1, sizeof *e->finals);
    e->finals[e->n_finals++] = (struct metric){.name = arena_strdup(&e->names, name),
                                               .value = value,
                                               .step = -1,
                                               .unit = unit,
                                               .goal = goal};
}

/* Images that the item `name` of the set is measured on. */
static int64_t
images_of(const struct evaluation *e, const char *name)
{
    const struct stage_config *c = &e->context->config;
    int64_t wanted = c->attack_images;

    if (strcmp(name, "clean") == 0)
        wanted = c->eval_images;
    else if (strcmp(name, "corruptions") == 0)
        wanted = c->corruption_images;
    return wanted > 0 && wanted < e->test.n ? wanted : e->test.n;
}

/* Passes that each of them takes. */
static int64_t
passes_of(const char *name)
{
    const struct attack *a = attack_find(name);
    int64_t kinds = 0;

    if (a != NULL)
        return 2 * a->config.steps + 1;
    if (strcmp(name, "clean") == 0)
        return 1;
    while (corruptions[kinds] != NULL)
        kinds++;
    return kinds * SEVERITIES;
}

/* Of all items, for the time that is left. */
static int64_t
count_passes(const struct evaluation *e)
{
    const char *cursor = e->context->config.evaluate;
    char name[64];
    int64_t all = 0;

    while (param_next_item(&cursor, name, sizeof name, NULL))
        all += images_of(e, name) * passes_of(name);
    return all;
}

static int
choose_images(struct subset *s, const struct evaluation *e, const char *name,
              struct err *err)
{
    const int64_t images = images_of(e, name);
    int64_t *none = NULL, n_none = 0;

    if (images < e->test.n) {
        const int rc = dataset_split(&e->test, (uint64_t)e->context->config.seed,
                                     images, 0, &s->order, &s->n, &none, &n_none, err);
        free(none);
        return rc;
    }
    s->n = e->test.n;
    s->order = xmalloc((size_t)s->n * sizeof *s->order);
    for (int64_t i = 0; i < s->n; i++)
        s->order[i] = i;
    return 0;
}

/* For the item `name` of the set. Released also after a failure. */
static int
subset_init(struct subset *s, const struct evaluation *e, const char *name,
            struct err *err)
{
    *s = (struct subset){0};
    if (choose_images(s, e, name, err) != 0)
        return -1;
    const struct loader_config config = {
        .data = &e->test, .order = s->order, .n = s->n, .batch = BATCH};
    s->batches = loader_new(&config, e->context->team);
    return s->batches != NULL
               ? 0
               : err_set(err, ERR_OOM, "no memory for a batch of images");
}

static void
subset_release(struct subset *s)
{
    loader_free(s->batches);
    free(s->order);
}

/* ---- progress -------------------------------------------------------------------- */

/* After a batch: tells, and gives up when asked to. */
static int
batch_done(struct evaluation *e, int64_t passes, struct err *err)
{
    e->done += passes;
    const double seconds = clock_mono_s() - e->started_s;
    const struct events_progress p = {
        .step = e->done,
        .steps = e->all,
        .images_per_second = (double)e->done / seconds,
        .loss = (double)NAN,
        .seconds_left = seconds / (double)e->done * (double)(e->all - e->done),
    };

    if (stage_stop_wanted())
        return err_set(err, ERR_STOPPED, "asked to stop during evaluation");
    return events_progress(e->context->events, &p, err);
}

static int
predict(struct tally *t, struct evaluation *e, const float *x, const int64_t *y,
        int64_t n, int path, struct err *err)
{
    const float *logits = net_forward(e->net, x, n, NET_EVAL, path);

    return tally_add(t, logits, y, n, err);
}

/* ---- clean ----------------------------------------------------------------------- */

static void
add_classes(struct evaluation *e, const struct tally *t)
{
    for (int64_t k = 0; k < t->classes; k++)
        if (t->class_n[k] > 0)
            add_final(e, arena_printf(&e->names, "class/%" PRId64 "/CA", k),
                      100.0 * (double)t->class_correct[k] / (double)t->class_n[k], "%",
                      METRIC_MAX);
    add_final(e, "CA", tally_percent(t), "%", METRIC_MAX);
}

static int
measure_clean(struct evaluation *e, const char *name, struct err *err)
{
    struct subset s;
    struct tally t;

    tally_init(&t, e->test.classes);
    int rc = subset_init(&s, e, name, err);
    for (int64_t i = 0; rc == 0 && i < loader_batches(s.batches); i++) {
        const struct loader_batch b = loader_get(s.batches, 1, i, 0);
        rc = predict(&t, e, b.x, b.y, b.n, PATH_CLEAN, err);
        if (rc == 0)
            rc = batch_done(e, b.n, err);
    }
    if (rc == 0)
        add_classes(e, &t);
    subset_release(&s);
    tally_release(&t);
    return rc;
}

/* ---- corruptions ----------------------------------------------------------------- */

/* One corruption of one batch, shared out over the team. */
struct corrupt_task {
    const struct evaluation *e;
    const struct corruption *corruption;
    int severity;
    const int64_t *sample;
};

static void
corrupt_one(void *ctx, int64_t task, int thread)
{
    const struct corrupt_task *c = ctx;
    const struct dataset *d = &c->e->test;
    const int64_t per_image = d->c * d->h * d->w, sample = c->sample[task];

    (void)thread;
    corruption_apply(c->e->images + task * per_image, d->images + sample * per_image,
                     d->h, d->w, c->corruption, c->severity, CORRUPT_SEED, sample);
}

/* Accuracy at one severity, per cent. */
static int
measure_severity(double *percent, struct evaluation *e, const struct subset *s,
                 const struct corruption *corruption, int severity, struct err *err)
{
    struct tally t;
    int rc = 0;

    tally_init(&t, e->test.classes);
    for (int64_t i = 0; rc == 0 && i < loader_batches(s->batches); i++) {
        const struct loader_batch b = loader_get(s->batches, 1, i, 0);
        struct corrupt_task task = {e, corruption, severity, b.sample};
        team_run(e->context->team, b.n, corrupt_one, &task);
        rc = predict(&t, e, e->images, b.y, b.n, PATH_CLEAN, err);
        if (rc == 0)
            rc = batch_done(e, b.n, err);
    }
    *percent = tally_percent(&t);
    tally_release(&t);
    return rc;
}

/* Mean over the severities. */
static int
measure_corruption(double *mean, struct evaluation *e, const struct subset *s,
                   const struct corruption *corruption, struct err *err)
{
    *mean = 0;
    for (int severity = 1; severity <= SEVERITIES; severity++) {
        double percent;
        if (measure_severity(&percent, e, s, corruption, severity, err) != 0)
            return -1;
        *mean += percent / SEVERITIES;
        add_final(
            e, arena_printf(&e->names, "corruption/%s/%d", corruption->name, severity),
            percent, "%", METRIC_MAX);
    }
    return 0;
}

/* NPA: mean over severities, then over corruptions; mCE = 100 - NPA (2.4). */
static int
measure_corruptions(struct evaluation *e, const char *name, struct err *err)
{
    struct subset s;
    double sum = 0;
    int n = 0;

    int rc = subset_init(&s, e, name, err);
    for (; rc == 0 && corruptions[n] != NULL; n++) {
        double mean;
        rc = measure_corruption(&mean, e, &s, corruptions[n], err);
        sum += mean;
    }
    if (rc == 0) {
        add_final(e, "corruptions", n, "", METRIC_NONE);
        add_final(e, "mCE", 100 - sum / n, "%", METRIC_MIN);
        add_final(e, "NPA", sum / n, "%", METRIC_MAX);
    }
    subset_release(&s);
    return rc;
}

/* ---- attacks --------------------------------------------------------------------- */

static int
attack_batch(struct tally *t, struct evaluation *e, const struct attack *a,
             const struct loader_batch *b, struct err *err)
{
    const int64_t per_image = e->test.c * e->test.h * e->test.w;
    const struct attack_target target = {.net = e->net,
                                         .path = PATH_ADV,
                                         .y = b->y,
                                         .temperature = 1,
                                         .classes = e->test.classes};

    attack_start(e->start, b->n, per_image, b->sample,
                 (uint64_t)e->context->config.seed, 0);
    if (a->run(e->images, b->x, e->start, b->n, &target, &a->config, err) != 0)
        return err_wrap(err, "attack %s", a->name);
    return predict(t, e, e->images, b->y, b->n, PATH_ADV, err);
}

static int
measure_attack(struct evaluation *e, const char *name, struct err *err)
{
    const struct attack *a = attack_find(name);
    struct subset s;
    struct tally t;

    tally_init(&t, e->test.classes);
    int rc = subset_init(&s, e, name, err);
    for (int64_t i = 0; rc == 0 && i < loader_batches(s.batches); i++) {
        const struct loader_batch b = loader_get(s.batches, 1, i, 0);
        rc = attack_batch(&t, e, a, &b, err);
        if (rc == 0)
            rc = batch_done(e, b.n * passes_of(name), err);
    }
    if (rc == 0 && strcmp(name, "pgd-7") == 0) /* the papers' adversarial accuracy */
        add_final(e, "AdvA", tally_percent(&t), "%", METRIC_MAX);
    if (rc == 0)
        add_final(e, arena_printf(&e->names, "attack/%s/%d", name, PATH_ADV),
                  tally_percent(&t), "%", METRIC_MAX);
    subset_release(&s);
    tally_release(&t);
    return rc;
}

/* ---- the stage ------------------------------------------------------------------- */

static int
measure_all(struct evaluation *e, struct err *err)
{
    const char *cursor = e->context->config.evaluate;
    char name[64];

    e->all = count_passes(e);
    e->started_s = clock_mono_s();
    while (param_next_item(&cursor, name, sizeof name, NULL)) {
        int (*measure)(struct evaluation *, const char *, struct err *) =
            strcmp(name, "clean") == 0         ? measure_clean
            : strcmp(name, "corruptions") == 0 ? measure_corruptions
                                               : measure_attack;
        if (measure(e, name, err) != 0)
            return err_wrap(err, "evaluate %s", name);
        log_info("evaluate", "done=%s %s=%.2f", name, e->finals[e->n_finals - 1].name,
                 e->finals[e->n_finals - 1].value);
    }
    return 0;
}

static void
add_facts(struct evaluation *e)
{
    const struct graph *g = net_graph(e->net);

    add_final(e, "relus", (double)e->info.relu_count, "ReLUs", METRIC_MIN);
    add_final(e, "relus_total", (double)graph_relus(g), "ReLUs", METRIC_NONE);
    add_final(e, "macs", (double)graph_macs(g), "MACs", METRIC_MIN);
    add_final(e, "selected_on_test", strcmp(e->info.selected_on, "test") == 0, "",
              METRIC_NONE);
    if (e->info.val_accuracy >= 0)
        add_final(e, e->info.selected_on[0] == 't' ? "test/CA" : "val/CA",
                  e->info.val_accuracy, "%", METRIC_MAX);
}

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
    if (rc != 0)
        return -1;
    const size_t floats = (size_t)(BATCH * e->test.c * e->test.h * e->test.w);
    e->images = mem_large_alloc(floats * sizeof *e->images);
    e->start = mem_large_alloc(floats * sizeof *e->start);
    if (e->images == NULL || e->start == NULL)
        return err_set(err, ERR_OOM, "no memory for a batch of images");
    return 0;
}

static int
run(struct stage_context *ctx, struct err *err)
{
    struct evaluation e = {.context = ctx};

    int rc = prepare(&e, err);
    if (rc == 0)
        rc = measure_all(&e, err);
    if (rc == 0) {
        add_facts(&e);
        rc = events_result(ctx->events, e.finals, e.n_finals, NULL, err);
    }
    mem_large_free(e.images);
    mem_large_free(e.start);
    net_free(e.net);
    dataset_release(&e.test);
    free(e.finals);
    arena_release(&e.names);
    return rc;
}

const struct stage stage_evaluate = {
    .name = "evaluate",
    .doc = "measures a trained network on the test images",
    .run = run,
};
