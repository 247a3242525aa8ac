/* registry.c - all pages, in the order of the menu. */
#include <stddef.h>

#include "coordinator/web/page.h"

#define PAGES(X) \
    X(home)      \
    X(sweeps)    \
    X(sweep)     \
    X(pareto)    \
    X(grid)      \
    X(jobs)      \
    X(all_jobs)  \
    X(confirm)   \
    X(job)       \
    X(curves)    \
    X(log)       \
    X(log_text)  \
    X(artifact)  \
    X(compare)   \
    X(workers)   \
    X(system)    \
    X(login)     \
    X(metrics)   \
    X(readyz)

#define DECLARE(name) extern const struct page page_##name;
PAGES(DECLARE)

#define ENTRY(name) &page_##name,
const struct page *const pages[] = {PAGES(ENTRY) NULL};

const struct page *
page_find(struct request *r)
{
    for (const struct page *const *p = pages; *p != NULL; p++)
        if (request_matches(r, (*p)->pattern))
            return *p;
    return NULL;
}
