/* registry.c - one line per method; the definition is in the file of the same name. */
#include <string.h>

#include "worker/methods/method.h"

#define METHODS(X) X(rlnet)

#define DECLARE(name) extern const struct method method_##name;
METHODS(DECLARE)

#define ENTRY(name) &method_##name,
const struct method *const methods[] = {METHODS(ENTRY) NULL};

const struct method *
method_find(const char *name)
{
    for (const struct method *const *m = methods; *m != NULL; m++)
        if (strcmp((*m)->name, name) == 0)
            return *m;
    return NULL;
}

const struct method_stage *
method_find_stage(const struct method *m, const char *name)
{
    for (size_t i = 0; i < m->n_stages; i++)
        if (strcmp(m->stages[i].name, name) == 0)
            return &m->stages[i];
    return NULL;
}
