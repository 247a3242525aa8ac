/* rests.c - machines that rest; there are few. */
#include "coordinator/dispatch/rests.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

void
rests_release(struct rests *r)
{
    free(r->items);
    *r = (struct rests){0};
}

void
rests_set(struct rests *r, const struct rules *rules, int64_t now_ms)
{
    rests_release(r);
    r->items = xcalloc(rules->n_rests + 1, sizeof *r->items);
    r->n = rules->n_rests;
    for (size_t i = 0; i < r->n; i++) {
        r->items[i] = rules->rests[i];
        r->items[i].wait_ms += now_ms;
    }
}

int64_t
rests_until(const struct rests *r, const char *host, int64_t now_ms)
{
    for (size_t i = 0; i < r->n; i++)
        if (now_ms < r->items[i].wait_ms && strcmp(r->items[i].host, host) == 0)
            return r->items[i].wait_ms;
    return 0;
}
