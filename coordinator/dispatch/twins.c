/*
 * twins.c - who has, or had, either run of a job that is done twice. Both directions are
 * kept, for the first run may be the one that is tried again.
 */
#include "coordinator/dispatch/twins.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

/* A job that has a twin. */
struct twin {
    int64_t other;
    int64_t worker;   /* who got it last, 0: nobody yet */
    int64_t host;     /* hash of its machine's name */
    int64_t until_ms; /* 0: it has not been kept back since it ran last */
};

static int64_t
hash_host(const char *host)
{
    return idmap_hash(host, strlen(host));
}

void
twins_release(struct twins *t)
{
    void *twin;

    for (size_t at = 0; (twin = idmap_next(&t->by_job, &at)) != NULL;)
        free(twin);
    idmap_release(&t->by_job);
    *t = (struct twins){0};
}

static void
add(struct twins *t, const struct twin_side *side, int64_t other)
{
    struct twin *twin = idmap_find(&t->by_job, side->job);

    if (twin != NULL)
        return;
    twin = xcalloc(1, sizeof *twin);
    *twin = (struct twin){
        .other = other, .worker = side->worker, .host = hash_host(side->host)};
    idmap_put(&t->by_job, side->job, twin);
}

void
twins_take(struct twins *t, const struct twin_list *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        const struct twin_pair *p = &pairs->items[i];
        add(t, &p->again, p->first.job);
        add(t, &p->first, p->again.job);
        t->last = p->again.job > t->last ? p->again.job : t->last;
    }
}

void
twins_run(struct twins *t, int64_t job, const struct session *s)
{
    struct twin *twin = idmap_find(&t->by_job, job);

    if (twin == NULL)
        return;
    twin->worker = s->worker;
    twin->host = hash_host(s->host);
    twin->until_ms = 0;
}

enum twins_distance
twins_distance(const struct twins *t, int64_t job, const struct session *s)
{
    const struct twin *twin = idmap_find(&t->by_job, job);

    if (twin != NULL)
        twin = idmap_find(&t->by_job, twin->other);
    if (twin == NULL || twin->worker == 0)
        return TWINS_APART;
    if (twin->worker == s->worker)
        return TWINS_SAME_WORKER;
    return twin->host == hash_host(s->host) ? TWINS_SAME_HOST : TWINS_APART;
}

int64_t
twins_until(struct twins *t, int64_t job, int64_t now_ms)
{
    struct twin *twin = idmap_find(&t->by_job, job);

    if (twin->until_ms == 0)
        twin->until_ms = now_ms + TWINS_WAIT_MS;
    return twin->until_ms;
}
