/*
 * work.c - what stages cost in passes of one image through the network: forward 1,
 * backward 2, backward to the input alone 1 (as step_macs counts). Estimates for people:
 * validation, which is small, is left out, and an attack has its default steps.
 */
#include "worker/methods/work.h"

#include <string.h>

#include "shared/base/mem.h"
#include "worker/attacks/attack.h"
#include "worker/losses/loss.h"

/* Multiply-adds a second of two AVX2 cores; the first finished jobs correct it. */
static const double macs_per_second = 6e10;

enum { STEP_PASSES = 3, ATTACK_PASSES = 2 * 7, CORRUPTED_IMAGES = 15 * 5 };

/* Runners that make steps: where their epochs and views are, and whether they run a
 * teacher on every image. */
static const struct training {
    const char *runner, *epochs, *views;
    int teacher;
    const char *maps; /* views on which its maps are compared too, or NULL */
} trainings[] = {
    {"teacher", "teacher_epochs", "teacher_views", 0, NULL},
    {"mask", "mask_epochs", "mask_views", 1, NULL},
    {"finetune", "finetune_epochs", "kl_views", 1, "pram_views"},
};

static void
add(json_t *rows, double passes, const char *a, const char *b, json_t *when)
{
    json_t *of = json_pack("[s]", a);

    if (b != NULL)
        json_array_append_new(of, json_string(b));
    json_array_append_new(
        rows, json_pack("{s:f, s:o, s:o}", "passes", passes, "of", of, "when", when));
}

/* With k batch norms a view has 1/k of a batch. */
static void
add_training(json_t *rows, const struct training *t)
{
    static const char *const bn[] = {"single", "dual", "triple"};

    for (int k = 0; k < 3; k++)
        for (int v = 0; v < LOSS_N_VIEWS; v++)
            add(rows, (STEP_PASSES + (v == LOSS_ADV ? ATTACK_PASSES : 0)) / (k + 1.0),
                t->epochs, "train_images",
                json_pack("{s:s, s:s}", "bn", bn[k], t->views, loss_view_names[v]));
    for (int k = 0; t->maps != NULL && k < 3; k++)
        for (int v = LOSS_AUG; v < LOSS_N_VIEWS; v++) /* the clean ones are there */
            add(rows, 1 / (k + 1.0), t->epochs, "train_images",
                json_pack("{s:s, s:s}", "bn", bn[k], t->maps, loss_view_names[v]));
    if (t->teacher > 0)
        add(rows, t->teacher, t->epochs, "train_images", json_object());
}

static void
add_evaluation(json_t *rows)
{
    add(rows, 1, "eval_images", NULL, json_pack("{s:s}", "evaluate", "clean"));
    add(rows, CORRUPTED_IMAGES, "corruption_images", NULL,
        json_pack("{s:s}", "evaluate", "corruptions"));
    for (const struct attack *const *a = attacks; *a != NULL; a++)
        add(rows, 2 * (*a)->config.steps + 1, "attack_images", NULL,
            json_pack("{s:s}", "evaluate", (*a)->name));
}

json_t *
work_of_stage(const struct method_stage *s)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < sizeof trainings / sizeof trainings[0]; i++)
        if (strcmp(trainings[i].runner, s->runner) == 0)
            add_training(rows, &trainings[i]);
    if (strcmp(s->runner, "sensitivity") == 0)
        add(rows, STEP_PASSES, "sensitivity_epochs", "train_images", json_object());
    if (strcmp(s->runner, "evaluate") == 0)
        add_evaluation(rows);
    if (json_array_size(rows) > 0)
        return rows;
    json_decref(rows);
    return NULL;
}

struct graph *
work_graph(const struct model *m, const struct dataset_source *d)
{
    return m->build(&(struct model_config){.classes = d->classes,
                                           .c = 3,
                                           .h = d->h,
                                           .w = d->w,
                                           .std = {1, 1, 1},
                                           .bn_paths = 2,
                                           .role = MODEL_STUDENT});
}

static json_t *
macs_table(void)
{
    json_t *table = json_object();

    for (const struct model *const *m = models; *m != NULL; m++) {
        for (const struct dataset_source *const *d = dataset_sources; *d != NULL; d++) {
            char *key = xasprintf("%s/%s", (*m)->name, (*d)->name);
            struct graph *g = work_graph(*m, *d);
            json_object_set_new(table, key, json_integer(graph_macs(g)));
            graph_free(g);
            free(key);
        }
    }
    return table;
}

static json_t *
image_counts(enum dataset_part part)
{
    json_t *counts = json_object();

    for (const struct dataset_source *const *d = dataset_sources; *d != NULL; d++)
        json_object_set_new(
            counts, (*d)->name,
            json_integer(part == DATASET_TRAIN ? (*d)->n_train : (*d)->n_test));
    return counts;
}

json_t *
work_units(void)
{
    json_t *test = image_counts(DATASET_TEST);

    return json_pack("{s:f, s:o, s:{s:o, s:O, s:O, s:o}}", "macs_per_second",
                     macs_per_second, "macs", macs_table(), "images", "train_images",
                     image_counts(DATASET_TRAIN), "eval_images", test,
                     "corruption_images", test, "attack_images", test);
}
