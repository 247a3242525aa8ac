/* registry.c - the verbs of `relusweep`, one line each, in the order of the help. */
#include <string.h>

#include "coordinator/cli/cmd.h"

#define CMDS(X)  \
    X(run)       \
    X(plan)      \
    X(submit)    \
    X(extend)    \
    X(status)    \
    X(watch)     \
    X(jobs)      \
    X(explain)   \
    X(logs)      \
    X(retry)     \
    X(cancel)    \
    X(pause)     \
    X(resume)    \
    X(priority)  \
    X(limit)     \
    X(report)    \
    X(export)    \
    X(import)    \
    X(artifacts) \
    X(data)      \
    X(doctor)    \
    X(bench)     \
    X(keys)      \
    X(db)        \
    X(completion)

#define DECLARE(name) extern const struct cmd cmd_##name;
CMDS(DECLARE)

#define ENTRY(name) &cmd_##name,
const struct cmd *const cmds[] = {CMDS(ENTRY) NULL};

const struct cmd *
cmd_find(const char *name)
{
    for (const struct cmd *const *c = cmds; *c != NULL; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}
