/*
 * needs.c - which values of parameters need which values of others. A row for every
 * refusal of the stages that can be told from the parameters alone.
 */
#include "worker/methods/needs.h"

#include <string.h>

#include "worker/attacks/attack.h"
#include "worker/data/dataset.h"
#include "worker/losses/loss.h"
#include "worker/models/model.h"
#include "worker/models/released_budgets.h"

/* Rows that do not come from a registry: param must be at least `min`. */
static const struct need {
    const char *when, *value, *param;
    int min;
} needs[] = {
    {"bn", "triple", "batch", 3},
    {"select_on", "validation", "val_images", 1},
};

static void
add_min(json_t *rows, const char *when, const char *value, const char *param, int min)
{
    json_array_append_new(rows, json_pack("{s:{s:s}, s:s, s:i}", "when", when, value,
                                          "param", param, "min", min));
}

/* Takes the reference to `list`. */
static void
add_in(json_t *rows, const char *when, const char *value, const char *param,
       json_t *list)
{
    json_array_append_new(rows, json_pack("{s:{s:s}, s:s, s:o}", "when", when, value,
                                          "param", param, "in", list));
}

/* A released list is for one network, one budget and images of one size. */
static void
add_budgets(json_t *rows)
{
    for (const struct released_budgets *b = released_budgets; b->name != NULL; b++) {
        json_t *sets = json_array();
        for (const struct dataset_source *const *d = dataset_sources; *d != NULL; d++)
            if ((*d)->h == b->side || (*d)->h == 0)
                json_array_append_new(sets, json_string((*d)->name));
        add_in(rows, "budgets", b->name, "model", json_pack("[s]", b->model));
        add_in(rows, "budgets", b->name, "relu_budget", json_pack("[s]", b->budget));
        add_in(rows, "budgets", b->name, "dataset", sets);
    }
}

/* The budgets that were released for a network on images of this size. */
static json_t *
known_budgets(const char *model, int64_t side)
{
    json_t *known = json_array();

    for (const struct released_budgets *b = released_budgets; b->name != NULL; b++)
        if (strcmp(b->model, model) == 0 && (b->side == side || side == 0))
            json_array_append_new(known, json_string(b->budget));
    return known;
}

/* "released" alone means the list of the cell's network, budget and image size. */
static void
add_any_released(json_t *rows)
{
    json_t *nets = json_array();

    for (const struct model *const *m = models; *m != NULL; m++) {
        json_t *known = known_budgets((*m)->name, 0);
        if (json_array_size(known) > 0)
            json_array_append_new(nets, json_string((*m)->name));
        json_decref(known);
    }
    add_in(rows, "budgets", "released", "model", nets);
    for (size_t i = 0; i < json_array_size(nets); i++) {
        const char *model = json_string_value(json_array_get(nets, i));
        for (const struct dataset_source *const *d = dataset_sources; *d != NULL; d++)
            json_array_append_new(rows, json_pack("{s:{s:s, s:s, s:s}, s:s, s:o}",
                                                  "when", "budgets", "released",
                                                  "model", model, "dataset", (*d)->name,
                                                  "param", "relu_budget", "in",
                                                  known_budgets(model, (*d)->h)));
    }
}

/* An attack with a number of steps in its name makes as many. */
static void
add_attacks(json_t *rows)
{
    for (const struct attack *const *a = attacks; *a != NULL; a++) {
        if ((*a)->config.steps <= 1)
            continue;
        char steps[24];
        snprintf(steps, sizeof steps, "%d", (*a)->config.steps);
        add_in(rows, "attack", (*a)->name, "attack_steps",
               json_pack("[s,s]", "0", steps));
    }
}

/* A loss on pairs of views needs both of the same images. */
static void
add_pairs(json_t *rows)
{
    for (const struct loss *const *l = losses; *l != NULL; l++)
        if ((*l)->on == LOSS_ON_PAIR)
            add_in(rows, "teacher_loss", (*l)->name, "bn", json_pack("[s]", "single"));
}

json_t *
needs_describe(void)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        add_min(rows, needs[i].when, needs[i].value, needs[i].param, needs[i].min);
    add_any_released(rows);
    add_budgets(rows);
    add_attacks(rows);
    add_pairs(rows);
    return rows;
}
