/* registry.c - one line per stage; the definition is in the file of the same name. */
#include <string.h>

#include "worker/pipeline/stage.h"

#define STAGES(X)  \
    X(teacher)     \
    X(sensitivity) \
    X(mask)        \
    X(finetune)    \
    X(evaluate)

#define DECLARE(name) extern const struct stage stage_##name;
STAGES(DECLARE)

#define ENTRY(name) &stage_##name,
const struct stage *const stages[] = {STAGES(ENTRY) NULL};

const struct stage *
stage_find(const char *name)
{
    for (const struct stage *const *s = stages; *s != NULL; s++)
        if (strcmp((*s)->name, name) == 0)
            return *s;
    return NULL;
}
