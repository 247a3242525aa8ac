/*
 * step.c - one optimiser step of three-view training (RLNet; methods.md 4.1, 4.3, 4.4).
 *
 * Invariant: the numbers are those of the released order (all forwards, then one
 * backward), but each view is differentiated right after its forward, so that only one
 * view's activations are in memory:
 *
 *   teacher x[h:], x[:h]          eval, path 0: targets; the maps of x[:h] stay
 *   student x[:h]                 train, path 0, losses, backward
 *   teacher x_aug, student x_aug  the same
 *   attack x[h:] -> x_adv         student, eval, path 1 as the last step left it
 *   teacher x_adv, student x_adv  path 1
 *   SGD
 *
 * That is the same because gradients only add up, the weights change at the end, and
 * the order in which the batch norms are updated (path 0 clean, then augmented; path 1
 * after the attack) is kept. The teacher runs on a view only when a loss term compares
 * maps.
 */
#include "worker/pipeline/step.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/attacks/attack.h"
#include "worker/losses/loss_set.h"
#include "worker/pipeline/map_scores.h"

struct step {
    struct net *student, *teacher; /* borrowed; teacher may be NULL */
    int64_t batch, classes, per_image;
    struct loss_set *losses;
    const struct attack *attack;
    struct attack_config attack_config;
    double temperature;
    struct optim_sgd sgd;

    float *logits[LOSS_N_VIEWS]; /* (ceil(batch/2),classes) each */
    float *dlogits;              /* the same */
    float *target;               /* (batch,classes) of the teacher */
    float *x_adv;                /* (ceil(batch/2),c,h,w) */
    float *running;              /* running statistics before the step */

    struct map_scores *scores; /* STEP_MASK: D; else NULL */
};

static const char *const default_loss[] =
    {[STEP_TEACHER] = "ce", [STEP_MASK] = "ce+kl", [STEP_FINETUNE] = "ce+kl+pram"};

static const int view_path[LOSS_N_VIEWS] =
    {[LOSS_CLEAN] = 0, [LOSS_AUG] = 0, [LOSS_ADV] = 1};

/* ---- making ---------------------------------------------------------------------- */

static bool
has_two_paths(struct net *n)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);
    bool second = false;

    for (size_t i = 0; i < count; i++) {
        if (strstr(params[i].name, ".BN_r.") != NULL)
            return false;
        second |= strstr(params[i].name, ".BN_a.") != NULL;
    }
    return second;
}

static int
check_nets(const struct step *s, const struct step_config *config, struct err *err)
{
    if ((config->stage == STEP_TEACHER) != (s->teacher == NULL))
        return err_set(err, ERR_BUG,
                       "step: a teacher network belongs to the stages "
                       "mask and finetune, and only to them");
    if (!has_two_paths(s->student))
        return err_set(err, ERR_USAGE,
                       "three-view training needs a network with two batch norm paths");
    return 0;
}

static int
choose_losses(struct step *s, const struct step_config *config, struct err *err)
{
    const bool given = config->loss != NULL && config->loss[0] != '\0';
    const char *form = config->pram_form;
    const struct loss_config terms = {
        .sum = given ? config->loss : default_loss[config->stage],
        .weighting = config->loss_weights != NULL ? config->loss_weights : "released",
        .map_views = config->pram_views != NULL ? config->pram_views : "clean,aug",
        .temperature = config->temperature,
        .paper_form = form != NULL && strcmp(form, "paper") == 0,
        .teacher = s->teacher != NULL,
    };

    return loss_set_new(&s->losses, &terms, net_graph(s->student), err);
}

static int
choose_attack(struct step *s, const struct step_config *config, struct err *err)
{
    const char *name = config->attack;
    const bool automatic = name == NULL || strcmp(name, "auto") == 0;

    if (automatic)
        name = s->teacher == NULL ? "pgd-7" : "kl-pgd-7";
    s->attack = attack_find(name);
    if (s->attack == NULL)
        return err_set(err, ERR_USAGE, "attack: unknown attack `%s`", name);
    if (s->attack->needs_teacher && s->teacher == NULL)
        return err_set(err, ERR_USAGE,
                       "attack `%s` needs a teacher, and this stage has none", name);
    const int own = s->attack->config.steps;
    const int wanted = config->attack_steps == 0 ? own : (int)config->attack_steps;
    if (!automatic && own > 1 && wanted != own)
        return err_set(err, ERR_USAGE,
                       "attack `%s` makes %d steps, attack_steps says %d; make them "
                       "equal, or set attack to `auto`",
                       name, own, wanted);
    s->attack_config = (struct attack_config){.eps = config->eps,
                                              .step = config->attack_step,
                                              .steps = own > 1 ? wanted : own};
    return 0;
}

/* Numbers of the running statistics, which a refused step puts back. */
static bool
is_running(const struct net_param *p)
{
    return p->role == NET_RUNNING_MEAN || p->role == NET_RUNNING_VAR
           || p->role == NET_BATCHES;
}

static int64_t
running_size(struct net *n)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);
    int64_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += is_running(&params[i]) ? params[i].size : 0;
    return size;
}

static float *
floats(int64_t n)
{
    return mem_large_alloc((size_t)n * sizeof(float));
}

static int
allocate(struct step *s, enum step_stage stage, struct err *err)
{
    const int64_t half = (s->batch + 1) / 2, outputs = half * s->classes;
    bool ok = true;

    for (int v = 0; v < LOSS_N_VIEWS; v++)
        ok &= (s->logits[v] = floats(outputs)) != NULL;
    ok &= (s->dlogits = floats(outputs)) != NULL;
    ok &= (s->target = floats(s->batch * s->classes)) != NULL;
    ok &= (s->x_adv = floats(half * s->per_image)) != NULL;
    ok &= (s->running = floats(running_size(s->student))) != NULL;
    if (!ok)
        return err_set(err, ERR_OOM, "step: no memory for a batch of images");
    if (stage != STEP_MASK)
        return 0;
    return map_scores_new(&s->scores, net_graph(s->student), err);
}

static int64_t
count_classes(struct net *n)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++)
        if (params[i].role == NET_LINEAR_BIAS)
            return params[i].size;
    return 0;
}

int
step_new(struct step **out, const struct step_config *config, struct net *student,
         struct net *teacher, int64_t batch, struct err *err)
{
    struct step *s = xcalloc(1, sizeof *s);
    const struct graph_shape image = graph_shape(net_graph(student), 0);

    assert(batch >= 1);
    *out = NULL;
    s->student = student;
    s->teacher = teacher;
    s->batch = batch;
    s->classes = count_classes(student);
    s->per_image = image.c * image.h * image.w;
    s->temperature = config->temperature;
    s->sgd = (struct optim_sgd){.momentum = config->momentum,
                                .weight_decay = config->weight_decay};
    if (check_nets(s, config, err) != 0 || choose_losses(s, config, err) != 0
        || choose_attack(s, config, err) != 0 || allocate(s, config->stage, err) != 0) {
        step_free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void
step_free(struct step *s)
{
    if (s == NULL)
        return;
    loss_set_free(s->losses);
    for (int v = 0; v < LOSS_N_VIEWS; v++)
        mem_large_free(s->logits[v]);
    mem_large_free(s->dlogits);
    mem_large_free(s->target);
    mem_large_free(s->x_adv);
    mem_large_free(s->running);
    map_scores_free(s->scores);
    free(s);
}

/* ---- scores of the mask search --------------------------------------------------- */

void
step_scores(const struct step *s, int mask, float *chw)
{
    int64_t size;
    const float *d = map_scores_at(s->scores, mask, &size);

    memcpy(chw, d, (size_t)size * sizeof(float));
}

void
step_scores_clear(struct step *s)
{
    memset(step_scores_data(s), 0, (size_t)step_scores_size(s) * sizeof(float));
}

int64_t
step_scores_size(const struct step *s)
{
    int64_t size;

    map_scores_data(s->scores, &size);
    return size;
}

float *
step_scores_data(struct step *s)
{
    int64_t size;

    return map_scores_data(s->scores, &size);
}

/* ---- one step -------------------------------------------------------------------- */

/* Copies the student's running statistics away, or back. */
static void
move_running(struct step *s, bool back)
{
    size_t count;
    struct net_param *params = net_params(s->student, &count);
    float *kept = s->running;

    for (size_t i = 0; i < count; i++) {
        struct net_param *p = &params[i];
        if (!is_running(p))
            continue;
        memcpy(back ? p->value : kept, back ? kept : p->value,
               (size_t)p->size * sizeof(float));
        kept += p->size;
    }
    if (back)
        net_params_changed(s->student);
}

/* The teacher's logits of n clean images go to `target`; its maps stay. */
static void
run_teacher(struct step *s, float *target, const float *x, int64_t n)
{
    if (s->teacher == NULL || n == 0)
        return;
    const float *logits = net_forward(s->teacher, x, n, NET_EVAL, 0);
    memcpy(target, logits, (size_t)(n * s->classes) * sizeof(float));
}

/* Forward, losses and gradients of one view. For LOSS_CLEAN the teacher's last forward
 * is that of the same images. */
static int
run_view(struct step *s, enum loss_view_id id, const float *x, int64_t n,
         const int64_t *y, const float *target, struct err *err)
{
    const int path = view_path[id];

    if (n == 0)
        return 0;
    if (id != LOSS_CLEAN && loss_set_needs_teacher(s->losses, id))
        net_forward(s->teacher, x, n, NET_EVAL, path);
    const float *logits = net_forward(s->student, x, n, NET_TRAIN, path);
    memcpy(s->logits[id], logits, (size_t)(n * s->classes) * sizeof(float));
    const struct loss_view view = {.n = n,
                                   .classes = s->classes,
                                   .logits = s->logits[id],
                                   .y = y,
                                   .target = s->teacher != NULL ? target : NULL,
                                   .student = s->student,
                                   .teacher = s->teacher};
    if (loss_set_view(s->losses, id, view, s->dlogits, err) != 0)
        return -1;
    if (id == LOSS_CLEAN && s->scores != NULL)
        map_scores_add(s->scores, s->student, s->teacher, n);
    net_backward(s->student, s->dlogits, NET_GRAD_PARAMS);
    return 0;
}

static int
run_attack(struct step *s, const struct step_batch *b, int64_t h, struct err *err)
{
    const struct attack_target target = {.net = s->student,
                                         .path = view_path[LOSS_ADV],
                                         .y = b->y + h,
                                         .teacher = s->target + h * s->classes,
                                         .temperature = s->temperature,
                                         .classes = s->classes};

    return s->attack->run(s->x_adv, b->x + h * s->per_image,
                          b->start + h * s->per_image, b->n - h, &target,
                          &s->attack_config, err);
}

static int
run_views(struct step *s, const struct step_batch *b, int64_t h, struct err *err)
{
    const float *x_half = b->x + h * s->per_image;
    float *target_half = s->target + h * s->classes;

    net_zero_grads(s->student);
    loss_set_start(s->losses);
    run_teacher(s, target_half, x_half, b->n - h);
    run_teacher(s, s->target, b->x, h);
    if (run_view(s, LOSS_CLEAN, b->x, h, b->y, s->target, err) != 0
        || run_view(s, LOSS_AUG, b->x_aug, h, b->y, s->target, err) != 0
        || run_attack(s, b, h, err) != 0)
        return -1;
    return run_view(s, LOSS_ADV, s->x_adv, b->n - h, b->y + h, target_half, err);
}

static int64_t
count_correct(const float *logits, const int64_t *y, int64_t n, int64_t classes)
{
    int64_t correct = 0;

    for (int64_t i = 0; i < n; i++) {
        const float *z = logits + i * classes;
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++)
            best = z[k] > z[best] ? k : best;
        correct += best == y[i];
    }
    return correct;
}

static void
fill_result(const struct step *s, const struct step_batch *b, int64_t h,
            struct step_result *result)
{
    const float *clean = s->logits[LOSS_CLEAN], *adv = s->logits[LOSS_ADV];
    const int64_t n_adv = b->n - h;

    *result = (struct step_result){
        .total = loss_set_total(s->losses),
        .correct_clean = count_correct(clean, b->y, h, s->classes),
        .n_clean = h,
        .correct_adv = count_correct(adv, b->y + h, n_adv, s->classes),
        .n_adv = n_adv,
        .logits_clean = clean,
        .logits_aug = s->logits[LOSS_AUG],
        .logits_adv = adv,
        .x_adv = s->x_adv,
    };
    for (int i = 0; losses[i] != NULL; i++)
        result->terms[i] = loss_set_value(s->losses, losses[i]->name);
}

int
step_run(struct step *s, const struct step_batch *batch, double lr,
         struct step_result *result, struct err *err)
{
    const int64_t h = batch->n / 2;

    assert(batch->n >= 1 && batch->n <= s->batch);
    move_running(s, false);
    if (run_views(s, batch, h, err) != 0) {
        move_running(s, true);
        return -1;
    }
    optim_sgd_step(s->student, &s->sgd, lr);
    fill_result(s, batch, h, result);
    return 0;
}

bool
step_has_term(const struct step *s, int row)
{
    return loss_set_has(s->losses, losses[row]->name);
}

double
step_macs(const struct step *s, int64_t n)
{
    const int64_t h = n / 2, adv = n - h;
    int64_t units = 3 * h + 3 * h + 3 * adv + 2 * (int64_t)s->attack_config.steps * adv;

    if (s->teacher != NULL)
        units += n;
    if (loss_set_needs_teacher(s->losses, LOSS_AUG))
        units += h;
    if (loss_set_needs_teacher(s->losses, LOSS_ADV))
        units += adv;
    return (double)units * (double)graph_macs(net_graph(s->student));
}
