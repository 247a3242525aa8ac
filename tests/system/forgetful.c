/*
 * forgetful.c - linked into a worker of its own (tests.cmake), whose stages forget one of
 * the final metrics that they declare, CA, and say that all went well.
 */
#include <string.h>

#include "shared/base/mem.h"
#include "worker/pipeline/events.h"

/* What the linker calls the function itself, and what is called in its place. */
int __real_events_result(const struct events *e, const struct metric *finals, size_t n,
                         const char *model, struct err *err);
int __wrap_events_result(const struct events *e, const struct metric *finals, size_t n,
                         const char *model, struct err *err);

int
__wrap_events_result(const struct events *e, const struct metric *finals, size_t n,
                     const char *model, struct err *err)
{
    struct metric *kept = xcalloc(n + 1, sizeof *kept);
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (strcmp(finals[i].name, "CA") != 0)
            kept[m++] = finals[i];
    const int rc = __real_events_result(e, kept, m, model, err);
    free(kept);
    return rc;
}
