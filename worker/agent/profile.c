/* profile.c - the table of numerics profiles. Knows no process and no engine. */
#include "worker/agent/profile.h"

#include <stddef.h>
#include <string.h>

#define ONE_THREAD "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1"

static const char *const fast_env[] = {ONE_THREAD, NULL};
static const char *const portable_env[] = {ONE_THREAD, "OPENBLAS_CORETYPE=Haswell",
                                           "DNNL_MAX_CPU_ISA=AVX2", NULL};

static const struct profile profiles[] = {
    {.name = "fast", .env = fast_env},
    {.name = "portable", .env = portable_env},
};

const char *const profile_names[] = {"fast", "portable", NULL};

const struct profile *
profile_find(const char *name)
{
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}
