/* team.c - threads that share out numbered tasks.
 *
 * A round starts when `round` grows; every thread then takes task numbers from `next`
 * until they are gone, and the last helper to finish wakes the caller. Both sides spin
 * for a few microseconds before they sleep, because a small network starts a round
 * every 50 microseconds and waking a thread costs nearly as much.
 *
 * It must not know what a task computes. */
#include "worker/engine/team.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/engine/profile.h"

enum { SPINS = 4000 };

struct helper {
    struct team *team;
    int thread;
    pthread_t handle;
};

struct team {
    int threads;
    int working;                  /* of this round; the others sit it out */
    const _Atomic int32_t *limit; /* see team_limit */
    struct helper *helpers;       /* threads - 1 */
    team_fn *fn;
    void *ctx;
    int64_t n;
    struct profile_tag tag; /* what the caller is at */
    atomic_llong next;
    atomic_int busy; /* helpers that have not finished this round */
    atomic_uint round;
    atomic_bool stop;
    pthread_mutex_t lock;
    pthread_cond_t started, finished;
};

static inline void
pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void
take_tasks(struct team *t, int thread)
{
    for (;;) {
        const int64_t task = atomic_fetch_add(&t->next, 1);
        if (task >= t->n)
            return;
        t->fn(t->ctx, task, thread);
    }
}

/* Returns when the round is not `seen` any more. */
static void
wait_for_round(struct team *t, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&t->round) != seen)
            return;
        pause_cpu();
    }
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->round) == seen)
        pthread_cond_wait(&t->started, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

static void *
helper_main(void *arg)
{
    const struct helper *h = arg;
    struct team *t = h->team;

    for (unsigned seen = 0;; seen++) {
        wait_for_round(t, seen);
        if (atomic_load(&t->stop))
            return NULL;
        if (h->thread < t->working) {
            profile_enter(h->thread, &t->tag, 0);
            take_tasks(t, h->thread);
            profile_leave(h->thread);
        }
        if (atomic_fetch_sub(&t->busy, 1) == 1) {
            pthread_mutex_lock(&t->lock);
            pthread_cond_signal(&t->finished);
            pthread_mutex_unlock(&t->lock);
        }
    }
}

static void
start_round(struct team *t)
{
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->round, 1);
    pthread_cond_broadcast(&t->started);
    pthread_mutex_unlock(&t->lock);
}

static void
wait_for_helpers(struct team *t)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&t->busy) == 0)
            return;
        pause_cpu();
    }
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->busy) != 0)
        pthread_cond_wait(&t->finished, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

struct team *
team_new(int threads)
{
    assert(threads >= 1);
    struct team *t = xcalloc(1, sizeof(*t));

    t->threads = 1;
    t->helpers = xcalloc((size_t)threads, sizeof(*t->helpers));
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->started, NULL);
    pthread_cond_init(&t->finished, NULL);
    while (t->threads < threads) {
        struct helper *h = &t->helpers[t->threads - 1];

        *h = (struct helper){.team = t, .thread = t->threads};
        if (pthread_create(&h->handle, NULL, helper_main, h) != 0) {
            team_free(t);
            return NULL;
        }
        t->threads++;
    }
    return t;
}

void
team_free(struct team *t)
{
    if (t == NULL)
        return;
    atomic_store(&t->stop, true);
    start_round(t);
    for (int i = 0; i < t->threads - 1; i++)
        pthread_join(t->helpers[i].handle, NULL);
    pthread_cond_destroy(&t->finished);
    pthread_cond_destroy(&t->started);
    pthread_mutex_destroy(&t->lock);
    free(t->helpers);
    free(t);
}

int
team_threads(const struct team *t)
{
    return t->threads;
}

void
team_limit(struct team *t, const _Atomic int32_t *limit)
{
    t->limit = limit;
}

static int
allowed(const struct team *t)
{
    const int limit = t->limit != NULL ? atomic_load(t->limit) : t->threads;

    return limit < 1 ? 1 : limit < t->threads ? limit : t->threads;
}

void
team_run(struct team *t, int64_t n, team_fn *fn, void *ctx)
{
    const int working = allowed(t);

    if (working == 1 || n <= 1) {
        for (int64_t task = 0; task < n; task++)
            fn(ctx, task, 0);
        return;
    }
    t->working = working;
    t->fn = fn;
    t->ctx = ctx;
    t->n = n;
    t->tag = profile_at(0);
    atomic_store(&t->next, 0);
    atomic_store(&t->busy, t->threads - 1);
    start_round(t);
    take_tasks(t, 0);
    wait_for_helpers(t);
}
