/*
 * forgetful.c - linked into a worker of its own (tests.cmake), whose stage `evaluate` forgets
 * one of the final metrics that it declares, CA, and says that all went well.
 */
#include <string.h>

#include "shared/base/mem.h"
#include "worker/pipeline/events.h"

/* What the linker calls the function itself, and what is called in its place. */
int __real_events_result_artifact(const struct events *e, const struct metric *finals,
                                  size_t n, const char *artifact, const char *file,
                                  struct err *err);
int __wrap_events_result_artifact(const struct events *e, const struct metric *finals,
                                  size_t n, const char *artifact, const char *file,
                                  struct err *err);

int
__wrap_events_result_artifact(const struct events *e, const struct metric *finals,
                              size_t n, const char *artifact, const char *file,
                              struct err *err)
{
    struct metric *kept = xcalloc(n + 1, sizeof *kept);
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (strcmp(finals[i].name, "CA") != 0)
            kept[m++] = finals[i];
    const int rc = __real_events_result_artifact(e, kept, m, artifact, file, err);
    free(kept);
    return rc;
}
