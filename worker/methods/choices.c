/*
 * choices.c - lists of names out of the registries. Filled once, before main, and never
 * changed after: parameter tables are constants that point here.
 */
#include "worker/methods/choices.h"

#include <assert.h>
#include <stddef.h>

#include "worker/attacks/attack.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/dataset.h"
#include "worker/models/released_budgets.h"

const char *choices_datasets[CHOICES_MAX];
const char *choices_corruptions[CHOICES_MAX];
const char *choices_evaluate[CHOICES_MAX];
const char *choices_attack[CHOICES_MAX];
const char *choices_budgets[CHOICES_MAX];

static void
append(const char **list, const char *name)
{
    size_t n = 0;

    while (list[n] != NULL)
        n++;
    assert(n + 1 < CHOICES_MAX);
    list[n] = name;
}

__attribute__((constructor)) static void
fill(void)
{
    for (const struct dataset_source *const *d = dataset_sources; *d != NULL; d++)
        append(choices_datasets, (*d)->name);
    append(choices_corruptions, "all");
    for (const struct corruption *const *k = corruptions; *k != NULL; k++)
        append(choices_corruptions, (*k)->name);
    append(choices_evaluate, "clean");
    append(choices_evaluate, "corruptions");
    append(choices_attack, "auto");
    for (const struct attack *const *a = attacks; *a != NULL; a++) {
        append(choices_attack, (*a)->name);
        if (!(*a)->needs_teacher) /* evaluation has none */
            append(choices_evaluate, (*a)->name);
    }
    append(choices_budgets, "eta");
    append(choices_budgets, "measured");
    append(choices_budgets, "released");
    for (const struct released_budgets *b = released_budgets; b->name != NULL; b++)
        append(choices_budgets, b->name);
}
