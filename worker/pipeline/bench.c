/*
 * bench.c - measures training and evaluation on random data; see bench.h. A job is what
 * one stage repeats; adding one is a row in `jobs` and its function.
 */
#include "worker/pipeline/bench.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "shared/base/clock.h"
#include "shared/base/json.h"
#include "shared/base/mem.h"
#include "worker/data/loader.h"
#include "worker/engine/backend.h"
#include "worker/engine/rng.h"
#include "worker/engine/team.h"
#include "worker/losses/loss.h"
#include "worker/models/model.h"
#include "worker/pipeline/bench_profile.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/step.h"

static const char *const stage_names[] = {"teacher", "mask",   "finetune", "ce",
                                          "eval",    "loader", NULL};

const struct param bench_params[] = {
    PARAM_ROW_CHOICE(struct bench_config, stage, "finetune", stage_names,
                     "what is repeated: a stage's step, ce, eval, or loader"),
    PARAM_ROW_CHOICE(struct bench_config, model, "resnet18", model_names, "network"),
    PARAM_ROW_STRING(struct bench_config, backend, "auto", "dnnl, blas or auto"),
    PARAM_ROW_INT(struct bench_config, batch, "128", 2, 65536, "images a step"),
    PARAM_ROW_INT(struct bench_config, threads, "1", 1, 1024, "threads"),
    PARAM_ROW_INT(struct bench_config, classes, "100", 2, 100000, "outputs"),
    PARAM_ROW_INT(struct bench_config, size, "32", 8, 1024, "pixels a side"),
    PARAM_ROW_REAL(struct bench_config, seconds, "10", 0, 86400, "time to measure"),
    PARAM_ROW_BOOL(struct bench_config, json, "false", "print one JSON object"),
    PARAM_ROW_BOOL(struct bench_config, profile, "false",
                   "say where the time goes by pass, op and layer"),
    PARAM_ROW_BOOL(struct bench_config, paced, "false",
                   "measure again for each line of the standard input"),
};
const size_t bench_n_params = PARAM_COUNT(bench_params);

enum { N_ARRAYS = 3, N_PICTURES = 1024 }; /* x, x_aug, attack start; for the loader */

struct bench {
    const struct bench_config *config;
    const struct backend *backend;
    struct team *team;
    struct net *student, *teacher;
    struct step *step;
    float *images[N_ARRAYS], *dlogits;
    int64_t *y;
    double macs; /* of one step */
    struct dataset pictures;
    int64_t *order;
    struct loader *loader;
    int64_t batches_done;
};

/* What a stage repeats, and what it needs. */
struct job {
    const char *stage;
    int (*run)(struct bench *b, struct err *err);
    int bn_paths;
    bool gradients;
    enum step_stage step; /* of jobs with two paths */
};

/* ---- jobs ------------------------------------------------------------------------ */

static int
run_step(struct bench *b, struct err *err)
{
    const struct step_batch batch = {.n = b->config->batch,
                                     .x = b->images[0],
                                     .x_aug = b->images[1],
                                     .start = b->images[2],
                                     .y = b->y};
    struct step_result result;

    return step_run(b->step, &batch, 0.01, &result, err);
}

static int
run_ce(struct bench *b, struct err *err)
{
    const int64_t n = b->config->batch, classes = b->config->classes;
    const struct optim_sgd sgd = {.momentum = 0.9, .weight_decay = 5e-4};

    (void)err;
    optim_sgd_begin(b->student, &sgd);
    const struct loss_view view = {
        .n = n,
        .classes = classes,
        .logits = net_forward(b->student, b->images[0], n, NET_TRAIN, 0),
        .y = b->y};
    memset(b->dlogits, 0, (size_t)(n * classes) * sizeof(float));
    loss_find("ce")->run(&view, 1, b->dlogits);
    net_backward(b->student, b->dlogits, NET_GRAD_PARAMS);
    optim_sgd_end(b->student, 0.01);
    return 0;
}

static int
run_eval(struct bench *b, struct err *err)
{
    (void)err;
    net_forward(b->student, b->images[0], b->config->batch, NET_EVAL, 0);
    return 0;
}

/* What a step of a training stage gets from the loader: crop and flip of every image,
 * AugMix of the first half. */
static int
run_loader(struct bench *b, struct err *err)
{
    const int64_t each = loader_batches(b->loader), i = b->batches_done++;

    (void)err;
    (void)loader_get(b->loader, 1 + i / each, i % each, b->config->batch / 2);
    return 0;
}

static const struct job jobs[] = {
    {"teacher", run_step, 2, true, STEP_TEACHER},
    {"mask", run_step, 2, true, STEP_MASK},
    {"finetune", run_step, 2, true, STEP_FINETUNE},
    {"ce", run_ce, 1, true, STEP_TEACHER},
    {"eval", run_eval, 1, false, STEP_TEACHER},
    {"loader", run_loader, 1, false, STEP_TEACHER},
};

static const struct job *
find_job(const char *stage)
{
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        if (strcmp(jobs[i].stage, stage) == 0)
            return &jobs[i];
    return NULL;
}

/* ---- what they work on ----------------------------------------------------------- */

/* A student keeps every tenth ReLU, so that masked activations are measured. */
static void
thin_masks(struct net *n)
{
    for (int i = 0; i < graph_n_masks(net_graph(n)); i++) {
        const int64_t size = network_mask_size(n, i);
        uint8_t *mask = xmalloc((size_t)size);
        for (int64_t j = 0; j < size; j++)
            mask[j] = j % 10 == 0;
        net_set_mask(n, i, mask);
        free(mask);
    }
}

/* As in training (trainer_setup.c). */
static enum net_keep
kept_of(const struct job *job, enum model_role role)
{
    if (job->bn_paths == 1 || role == MODEL_STUDENT || job->step == STEP_TEACHER)
        return NET_KEEP_LOGITS;
    return step_keep_of_teacher(&(struct step_config){.stage = job->step});
}

static int
make_net(struct net **out, const struct bench *b, const struct job *job,
         enum model_role role, bool gradients, struct err *err)
{
    const struct bench_config *c = b->config;
    const struct dataset shape = {.c = 3,
                                  .h = c->size,
                                  .w = c->size,
                                  .classes = c->classes,
                                  .mean = {0.5f, 0.5f, 0.5f},
                                  .std = {0.25f, 0.25f, 0.25f}};
    const struct network_config config = {
        .model = c->model,
        .data = &shape,
        .role = role,
        .bn_paths = job->bn_paths,
        .shared_shortcut_bn = true,
        .backend = b->backend,
        .team = b->team,
        .max_batch = job->bn_paths == 2 ? (c->batch + 1) / 2 : c->batch,
        .gradients = gradients,
        .keep = kept_of(job, role),
        .packing = job->run == run_eval ? NET_PACK_KEPT : NET_PACK_LATE,
        .lender = b->student, /* NULL while it is made itself */
        .brief = kept_of(job, role) == NET_KEEP_GROUPS,
    };

    if (network_new(out, &config, err) != 0)
        return -1;
    model_find(c->model)->init(*out, 1);
    return 0;
}

/* Plain training and evaluation read x alone. */
static int
make_images(struct bench *b, const struct job *job, struct err *err)
{
    const struct bench_config *c = b->config;
    const int64_t per_image = 3 * c->size * c->size;

    b->y = xcalloc((size_t)c->batch, sizeof *b->y);
    b->dlogits = xcalloc((size_t)(c->batch * c->classes), sizeof(float));
    for (int64_t i = 0; i < c->batch; i++)
        b->y[i] = i % c->classes;
    for (int a = 0; a < (job->run == run_step ? N_ARRAYS : 1); a++) {
        struct rng r = rng_stream(0, RNG_BENCH, 0, (uint64_t)a);
        float *pixels = mem_large_alloc((size_t)(c->batch * per_image) * sizeof(float));
        if (pixels == NULL)
            return err_set(err, ERR_OOM, "no memory for %" PRId64 " images", c->batch);
        for (int64_t i = 0; i < c->batch * per_image; i++)
            pixels[i] = a == 2 ? 2 * rng_uniform(&r) - 1 : rng_uniform(&r);
        b->images[a] = pixels;
    }
    return 0;
}

static int
make_step(struct bench *b, const struct job *job, struct err *err)
{
    const struct step_config config = {.stage = job->step,
                                       .temperature = 4,
                                       .eps = 8.0 / 255,
                                       .attack_step = 2.0 / 255,
                                       .attack_steps = 7,
                                       .momentum = 0.9,
                                       .weight_decay = 5e-4};

    if (job->step != STEP_TEACHER) {
        if (make_net(&b->teacher, b, job, MODEL_TEACHER, false, err) != 0)
            return -1;
        thin_masks(b->student);
    }
    if (step_new(&b->step, &config, b->student, b->teacher, b->config->batch, err) != 0)
        return -1;
    b->macs = step_macs(b->step, b->config->batch);
    return 0;
}

/* Full batches of smooth pictures with noise. */
static int
make_loader(struct bench *b, struct err *err)
{
    const struct bench_config *c = b->config;
    const int64_t n = (N_PICTURES + c->batch - 1) / c->batch * c->batch;
    const int64_t plane = c->size * c->size;
    struct rng r = rng_stream(0, RNG_BENCH, 0, N_ARRAYS);

    b->pictures = (struct dataset){
        .n = n, .c = 3, .h = c->size, .w = c->size, .classes = c->classes};
    b->pictures.images = mem_large_alloc((size_t)(n * 3 * plane));
    b->pictures.labels = mem_large_alloc((size_t)n * sizeof *b->pictures.labels);
    b->order = xcalloc((size_t)n, sizeof *b->order);
    if (b->pictures.images == NULL || b->pictures.labels == NULL)
        return err_set(err, ERR_OOM, "no memory for %" PRId64 " images", n);
    for (int64_t i = 0; i < n; i++)
        b->order[i] = i;
    for (int64_t i = 0; i < n * 3 * plane; i++)
        b->pictures.images[i] = (uint8_t)(i % plane / c->size * 4 + rng_below(&r, 64));
    const struct loader_config config = {.data = &b->pictures,
                                         .order = b->order,
                                         .n = n,
                                         .batch = c->batch,
                                         .shuffle = true,
                                         .augment = true,
                                         .augmix = true};
    b->loader = loader_new(&config, b->team);
    return b->loader != NULL ? 0 : err_set(err, ERR_OOM, "no memory for a batch");
}

static int
prepare(struct bench *b, const struct job *job, struct err *err)
{
    const enum model_role role =
        job->step == STEP_TEACHER ? MODEL_TEACHER : MODEL_STUDENT;

    if (backend_find(&b->backend, b->config->backend, err) != 0)
        return -1;
    b->team = team_new((int)b->config->threads);
    if (b->team == NULL)
        return err_set(err, ERR_SYS, "cannot start %" PRId64 " threads",
                       b->config->threads);
    if (job->run == run_loader)
        return make_loader(b, err);
    if (make_images(b, job, err) != 0
        || make_net(&b->student, b, job, role, job->gradients, err) != 0)
        return -1;
    if (job->bn_paths == 2)
        return make_step(b, job, err);
    b->macs = (job->gradients ? 3.0 : 1.0) * (double)b->config->batch
              * (double)graph_macs(net_graph(b->student));
    return 0;
}

static void
release(struct bench *b)
{
    loader_free(b->loader);
    dataset_release(&b->pictures);
    free(b->order);
    step_free(b->step);
    net_free(b->student);
    net_free(b->teacher);
    team_free(b->team);
    for (int a = 0; a < N_ARRAYS; a++)
        mem_large_free(b->images[a]);
    free(b->dlogits);
    free(b->y);
}

/* ---- measuring ------------------------------------------------------------------- */

static int64_t
peak_rss_bytes(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * INT64_C(1024);
}

/* What was measured. */
struct measured {
    int64_t steps, peak_rss;
    double seconds, cpu_seconds;
    struct profile_row *rows; /* NULL without a profile; caller frees */
    size_t n_rows;
};

static int
measure(struct bench *b, const struct job *job, struct measured *m, struct err *err)
{
    int rc;

    *m = (struct measured){0};
    if (b->config->profile)
        profile_start(team_threads(b->team));
    const double start = clock_mono_s(), cpu_start = clock_cpu_s();
    do {
        rc = job->run(b, err);
        m->steps++;
        m->seconds = clock_mono_s() - start;
    } while (rc == 0 && m->seconds < b->config->seconds);
    if (b->config->profile)
        m->rows = profile_stop(&m->n_rows);
    m->cpu_seconds = clock_cpu_s() - cpu_start;
    m->peak_rss = peak_rss_bytes();
    return rc;
}

static void
print(const struct bench *b, const struct measured *m, FILE *out)
{
    const struct bench_config *c = b->config;
    const double rate = (double)m->steps / m->seconds;
    json_t *result = json_pack(
        "{s:s, s:s, s:I, s:I, s:s, s:I, s:f, s:f, s:f, s:f, s:I}", "stage", c->stage,
        "model", c->model, "batch", (json_int_t)c->batch, "threads",
        (json_int_t)c->threads, "backend", backend_name(b->backend), "steps",
        (json_int_t)m->steps, "seconds", m->seconds, "cpu_seconds", m->cpu_seconds,
        "images_per_second", rate * (double)c->batch, "gflops",
        rate * 2 * b->macs / 1e9, "peak_rss_bytes", (json_int_t)m->peak_rss);
    const struct bench_profile profile = {
        .rows = m->rows,
        .n = m->n_rows,
        .student = b->student,
        .teacher = b->teacher,
        .peak = m->rows != NULL ? cpu_peak_measure(b->team) : (struct cpu_peak){0},
        .steps = m->steps,
        .threads = team_threads(b->team),
        .seconds = m->seconds};
    const char *key;
    json_t *value;

    if (c->json && m->rows != NULL)
        json_object_set_new(result, "profile", bench_profile_json(&profile));
    if (c->json) {
        json_dumpf(result, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
        fputc('\n', out);
    } else {
        json_object_foreach(result, key, value)
        {
            fprintf(out, "%-18s ", key);
            json_dumpf(value, out, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
            fputc('\n', out);
        }
        if (m->rows != NULL)
            bench_profile_print(&profile, out);
    }
    json_decref(result);
    fflush(out);
}

static int
measure_and_print(struct bench *b, const struct job *job, FILE *out, struct err *err)
{
    struct measured m;
    const int rc = measure(b, job, &m, err);

    if (rc == 0)
        print(b, &m, out);
    free(m.rows);
    return rc;
}

static bool
skip_line(FILE *in)
{
    int c = fgetc(in);

    while (c != EOF && c != '\n')
        c = fgetc(in);
    return c != EOF;
}

int
bench_run(const struct bench_config *config, FILE *in, FILE *out, struct err *err)
{
    const struct job *job = find_job(config->stage);
    struct bench b = {.config = config};

    if (job == NULL)
        return err_set(err, ERR_USAGE, "bench: unknown stage `%s`", config->stage);
    int rc = prepare(&b, job, err);
    if (rc == 0 && !config->paced)
        rc = job->run(&b, err); /* what is first takes longer */
    if (rc == 0 && !config->paced)
        rc = measure_and_print(&b, job, out, err);
    while (rc == 0 && config->paced && skip_line(in))
        rc = measure_and_print(&b, job, out, err);
    release(&b);
    return rc;
}
