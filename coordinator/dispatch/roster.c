/*
 * roster.c - sessions by what they are looked for. Invariant: a session is at most once
 * in `turns` or `aside`, and `listed` says so; its `served` does not change meanwhile.
 * Numbers of sessions are never used again, so what is left there of one that is gone
 * does no harm.
 */
#include "coordinator/dispatch/roster.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { FEW = 64 };

/* ---- chains ----------------------------------------------------------------------- */

static int64_t
hash_boot(const char *boot)
{
    return idmap_hash(boot, strlen(boot));
}

static int64_t
hash_peer(const struct sock_peer *peer)
{
    return idmap_hash(peer->id, peer->n);
}

static void
chain_add(struct idmap *m, int64_t key, struct session *s, enum session_chain chain)
{
    s->next[chain] = idmap_find(m, key);
    idmap_put(m, key, s);
}

static void
chain_drop(struct idmap *m, int64_t key, struct session *s, enum session_chain chain)
{
    struct session *first = idmap_find(m, key), **at = &first;

    while (*at != NULL && *at != s)
        at = &(*at)->next[chain];
    if (*at == NULL)
        return;
    *at = s->next[chain];
    if (first != NULL)
        idmap_put(m, key, first);
    else
        idmap_take(m, key);
}

/* ---- who there is ----------------------------------------------------------------- */

static void
free_session(struct session *s)
{
    json_decref(s->contract);
    free(s);
}

void
roster_release(struct roster *r)
{
    struct session *s;

    for (size_t at = 0; (s = idmap_next(&r->by_id, &at)) != NULL;)
        free_session(s);
    idmap_release(&r->by_id);
    idmap_release(&r->by_boot);
    idmap_release(&r->by_peer);
    heap_release(&r->turns);
    free(r->aside);
    *r = (struct roster){0};
}

void
roster_add(struct roster *r, struct session *s)
{
    idmap_put(&r->by_id, s->id, s);
    chain_add(&r->by_boot, hash_boot(s->boot), s, SESSION_BY_BOOT);
}

/* Forgets the turns of those that are gone when they are most of all. */
static void
sweep_turns(struct roster *r)
{
    const size_t n = r->turns.n;

    if (n <= 2 * r->by_id.n + FEW)
        return;
    r->turns.n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct heap_item item = r->turns.items[i];
        if (roster_find(r, item.id) != NULL)
            heap_push(&r->turns, item);
    }
}

void
roster_drop(struct roster *r, struct session *s)
{
    idmap_take(&r->by_id, s->id);
    sweep_turns(r);
    chain_drop(&r->by_boot, hash_boot(s->boot), s, SESSION_BY_BOOT);
    if (s->peer.n > 0)
        chain_drop(&r->by_peer, hash_peer(&s->peer), s, SESSION_BY_PEER);
    free_session(s);
}

void
roster_set_peer(struct roster *r, struct session *s, const struct sock_peer *peer)
{
    s->peer = *peer;
    if (peer->n > 0)
        chain_add(&r->by_peer, hash_peer(peer), s, SESSION_BY_PEER);
}

struct session *
roster_find(const struct roster *r, int64_t id)
{
    return idmap_find(&r->by_id, id);
}

struct session *
roster_find_boot(const struct roster *r, const char *boot)
{
    struct session *s = idmap_find(&r->by_boot, hash_boot(boot));

    while (s != NULL && strcmp(s->boot, boot) != 0)
        s = s->next[SESSION_BY_BOOT];
    return s;
}

struct session *
roster_find_peer(const struct roster *r, const struct sock_peer *peer)
{
    struct session *s = idmap_find(&r->by_peer, hash_peer(peer));

    while (s != NULL
           && (s->peer.n != peer->n || memcmp(s->peer.id, peer->id, peer->n) != 0))
        s = s->next[SESSION_BY_PEER];
    return s;
}

/* ---- turns ------------------------------------------------------------------------ */

static void
push_turn(struct roster *r, const struct session *s)
{
    heap_push(&r->turns, (struct heap_item){.key = s->served, .id = s->id});
}

void
roster_offer(struct roster *r, struct session *s)
{
    if (s->listed || session_credit(s) == 0)
        return;
    s->listed = true;
    push_turn(r, s);
}

struct session *
roster_next_turn(struct roster *r)
{
    while (r->turns.n > 0) {
        struct session *s = roster_find(r, heap_pop(&r->turns).id);
        if (s == NULL)
            continue;
        s->listed = false;
        if (session_credit(s) > 0)
            return s;
    }
    return NULL;
}

void
roster_put_aside(struct roster *r, struct session *s)
{
    s->listed = true;
    r->aside = xgrow(r->aside, &r->capacity, r->n_aside + 1, sizeof *r->aside);
    r->aside[r->n_aside++] = s->id;
}

void
roster_recall(struct roster *r)
{
    for (size_t i = 0; i < r->n_aside; i++) {
        const struct session *s = roster_find(r, r->aside[i]);
        if (s != NULL)
            push_turn(r, s);
    }
    r->n_aside = 0;
}
