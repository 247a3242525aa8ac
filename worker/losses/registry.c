/* registry.c - the loss terms that a sweep file can name. */
#include <stddef.h>
#include <string.h>

#include "worker/losses/loss.h"

/* One line per term; the definition is in the file of the same name. A sum is written,
 * and its digest made, in this order: add new lines at the end. */
#define LOSSES(X) \
    X(ce)         \
    X(kl)         \
    X(pram)       \
    X(trades)

#define DECLARE(id) extern const struct loss loss_##id;
LOSSES(DECLARE)

#define ENTRY(id) &loss_##id,
const struct loss *const losses[] = {LOSSES(ENTRY) NULL};
_Static_assert(sizeof losses / sizeof losses[0] <= LOSS_MAX_ROWS + 1,
               "raise LOSS_MAX_ROWS, and CHECKPOINT_VERSION with it");

#define LABEL(id) #id,
const char *const loss_names[] = {LOSSES(LABEL) NULL};

const char *loss_teacher_names[LOSS_MAX_ROWS + 1];
const char *loss_student_names[LOSS_MAX_ROWS + 1];

/* Filled once, before main, and never changed after. */
__attribute__((constructor)) static void
fill_names(void)
{
    size_t teachers = 0, students = 0;

    for (const struct loss *const *l = losses; *l != NULL; l++) {
        if (!(*l)->needs_teacher)
            loss_teacher_names[teachers++] = (*l)->name;
        if ((*l)->on != LOSS_ON_PAIR)
            loss_student_names[students++] = (*l)->name;
    }
}

const char *const loss_weighting[] = {"released", "paper", NULL};

const char *const loss_view_names[] =
    {[LOSS_CLEAN] = "clean", [LOSS_AUG] = "aug", [LOSS_ADV] = "adv", NULL};

const struct loss *
loss_find(const char *name)
{
    for (const struct loss *const *l = losses; *l != NULL; l++)
        if (strcmp((*l)->name, name) == 0)
            return *l;
    return NULL;
}
