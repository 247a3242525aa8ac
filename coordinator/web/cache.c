/*
 * cache.c - a few dozen answers, the one that was used longest ago leaves first.
 * Invariant: an answer is never older than what the client has been told of.
 */
#include "coordinator/web/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { SLOTS = 48, MAX_BODY = 256 * 1024 };

struct slot {
    char *key, *moment; /* NULL: free */
    int64_t news, used;
    struct response response;
};

struct cache {
    pthread_mutex_t lock;
    int64_t clock;
    struct slot slots[SLOTS];
};

struct cache *
cache_new(void)
{
    struct cache *c = xcalloc(1, sizeof *c);

    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void
empty_slot(struct slot *s)
{
    free(s->key);
    free(s->moment);
    response_release(&s->response);
    *s = (struct slot){0};
}

void
cache_free(struct cache *c)
{
    if (c == NULL)
        return;
    for (int i = 0; i < SLOTS; i++)
        empty_slot(&c->slots[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct slot *
find(struct cache *c, const char *key)
{
    for (int i = 0; i < SLOTS; i++)
        if (c->slots[i].key != NULL && strcmp(c->slots[i].key, key) == 0)
            return &c->slots[i];
    return NULL;
}

bool
cache_get(struct cache *c, const char *key, const char *moment, int64_t at,
          struct response *out)
{
    bool found = false;

    pthread_mutex_lock(&c->lock);
    struct slot *s = find(c, key);
    if (s != NULL
        && ((moment != NULL && strcmp(s->moment, moment) == 0)
            || (at > 0 && s->news >= at))) {
        s->used = ++c->clock;
        response_copy(out, &s->response);
        found = true;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

static struct slot *
oldest(struct cache *c)
{
    struct slot *best = &c->slots[0];

    for (int i = 1; i < SLOTS; i++)
        if (c->slots[i].used < best->used)
            best = &c->slots[i];
    return best;
}

void
cache_put(struct cache *c, const char *key, const char *moment, int64_t news,
          const struct response *r)
{
    if (r->body.len > MAX_BODY)
        return;
    pthread_mutex_lock(&c->lock);
    struct slot *s = find(c, key);
    if (s == NULL)
        s = oldest(c);
    if (s->key == NULL || s->news <= news || strcmp(s->key, key) != 0) {
        empty_slot(s);
        s->key = xstrdup(key);
        s->moment = xstrdup(moment);
        s->news = news;
        s->used = ++c->clock;
        response_copy(&s->response, r);
    }
    pthread_mutex_unlock(&c->lock);
}
