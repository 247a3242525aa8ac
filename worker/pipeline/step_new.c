/*
 * step_new.c - the parts of a step, chosen by its parameters and checked against each
 * other. What cannot be done is refused here, never in the middle of an epoch.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/pipeline/step_state.h"

static const char *const default_loss[] = {[STEP_TEACHER] = "ce",
                                           [STEP_MASK] = "ce+kl",
                                           [STEP_FINETUNE] = "ce+kl+pram",
                                           [STEP_SENSITIVITY] = "ce"};

static bool
has_teacher(enum step_stage stage)
{
    return stage == STEP_MASK || stage == STEP_FINETUNE;
}

static int
check_nets(struct step *s, const struct step_config *config, struct err *err)
{
    if (has_teacher(config->stage) != (s->teacher != NULL))
        return err_set(err, ERR_BUG,
                       "step: a teacher network belongs to the stages "
                       "mask and finetune, and only to them");
    s->paths = views_count_paths(s->student);
    s->teacher_paths = s->teacher != NULL ? views_count_paths(s->teacher) : 0;
    return 0;
}

/* Which views the losses, and the scores of a mask search, are made of. */
static int
choose_views(struct step *s, const struct step_config *config, struct err *err)
{
    for (int v = 0; v < LOSS_N_VIEWS; v++)
        s->takes[v] = loss_set_takes(s->losses, (enum loss_view_id)v);
    s->pairs = loss_set_pairs(s->losses);
    s->takes[LOSS_CLEAN] |= s->pairs || config->stage == STEP_MASK;
    if (s->pairs && (s->paths != 1 || s->teacher != NULL))
        return err_set(err, ERR_USAGE,
                       "a loss on pairs of views needs a network with one batch norm "
                       "path, which has the clean and the adversarial view of the same "
                       "images, and no teacher");
    return 0;
}

static int
make_losses(struct loss_set **out, const struct step_config *config, bool teacher,
            struct err *err)
{
    const bool given = config->loss != NULL && config->loss[0] != '\0';
    const char *form = config->pram_form;
    const struct loss_config terms = {
        .sum = given ? config->loss : default_loss[config->stage],
        .weighting = config->loss_weights != NULL ? config->loss_weights : "released",
        .label_views = config->ce_views,
        .target_views = config->kl_views,
        .map_views = config->pram_views != NULL ? config->pram_views : "clean,aug",
        .temperature = config->temperature,
        .paper_form = form != NULL && strcmp(form, "paper") == 0,
        .teacher = teacher,
    };

    return loss_set_new(out, &terms, err);
}

static int
choose_losses(struct step *s, const struct step_config *config, struct err *err)
{
    if (make_losses(&s->losses, config, s->teacher != NULL, err) != 0)
        return -1;
    return choose_views(s, config, err);
}

enum net_keep
step_keep_of_teacher(const struct step_config *config)
{
    const bool paper =
        config->pram_form != NULL && strcmp(config->pram_form, "paper") == 0;
    struct loss_set *set;
    struct err err;
    bool maps = false;

    if (config->stage != STEP_MASK)
        return paper ? NET_KEEP_MAPS : NET_KEEP_GROUPS;
    if (make_losses(&set, config, true, &err) != 0)
        return NET_KEEP_MAPS; /* step_new says what is wrong */
    for (int v = 0; v < LOSS_N_VIEWS; v++)
        maps |= loss_set_needs_teacher(set, (enum loss_view_id)v);
    loss_set_free(set);
    return maps ? NET_KEEP_MAPS : NET_KEEP_WATCHED;
}

/* PGD on what the loss of the adversarial view compares: the teacher's outputs, or the
 * network's own, or the labels. */
static const char *
automatic_attack(const struct step *s)
{
    return s->teacher != NULL || s->pairs ? "kl-pgd-7" : "pgd-7";
}

static int
choose_attack(struct step *s, const struct step_config *config, struct err *err)
{
    const char *name = config->attack;
    const bool automatic = name == NULL || strcmp(name, "auto") == 0;

    if (automatic)
        name = automatic_attack(s);
    s->attack = attack_find(name);
    if (s->attack == NULL)
        return err_set(err, ERR_USAGE, "attack: unknown attack `%s`", name);
    if (s->attack->needs_teacher && s->teacher == NULL && !s->pairs)
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
    s->targets = s->teacher != NULL
                 && (loss_set_needs_targets(s->losses)
                     || (s->attack->needs_teacher && s->takes[LOSS_ADV]));
    return 0;
}

bool
step_is_running(const struct net_param *p)
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
        size += step_is_running(&params[i]) ? params[i].size : 0;
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
    const int64_t room = views_room(s->batch, s->paths), outputs = room * s->classes;
    bool ok = true;

    for (int v = 0; v < LOSS_N_VIEWS; v++)
        ok &= (s->logits[v] = floats(outputs)) != NULL;
    ok &= (s->dlogits = floats(outputs)) != NULL;
    ok &= (s->d_own = floats(outputs)) != NULL;
    ok &= (s->target = floats(s->batch * s->classes)) != NULL;
    ok &= (s->x_adv = floats(room * s->per_image)) != NULL;
    for (int i = 0; i < 2; i++)
        ok &= (s->running[i] = floats(running_size(s->student))) != NULL;
    if (!ok)
        return err_set(err, ERR_OOM, "step: no memory for a batch of images");
    if (stage != STEP_MASK)
        return 0;
    s->watches = net_keep(s->teacher) == NET_KEEP_WATCHED;
    return map_scores_new(&s->scores, s->student, err);
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
    mem_large_free(s->d_own);
    mem_large_free(s->target);
    mem_large_free(s->x_adv);
    for (int i = 0; i < 2; i++)
        mem_large_free(s->running[i]);
    map_scores_free(s->scores);
    free(s);
}
