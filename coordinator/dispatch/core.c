/*
 * core.c - who has which job, and who has lost one. Invariants: a job is in at most one
 * lease; a lease belongs to at most one session; session->leases counts those that run; a lease
 * that waits for a commit (`busy`) produces no second action.
 */
#include "coordinator/dispatch/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/dispatch/core_impl.h"
#include "shared/base/mem.h"
#include "shared/base/moment.h"

struct core *
core_new(const struct core_config *config)
{
    struct core *core = xcalloc(1, sizeof *core);

    core->config = *config;
    core->ready = queue_new();
    core->last_session = config->first_session;
    return core;
}

void
core_free(struct core *core)
{
    void *p;

    if (core == NULL)
        return;
    for (size_t at = 0; (p = idmap_next(&core->leases, &at)) != NULL;)
        free(p);
    idmap_release(&core->leases);
    roster_release(&core->roster);
    queue_free(core->ready);
    rests_release(&core->rests);
    twins_release(&core->twins);
    heap_release(&core->waiting);
    free(core->actions);
    free(core);
}

/* ---- actions --------------------------------------------------------------------- */

struct core_action *
core_add_action(struct core *core, enum core_action_kind kind, struct msg_run run)
{
    core->actions = xgrow(core->actions, &core->action_capacity, core->n_actions + 1,
                          sizeof *core->actions);
    struct core_action *a = &core->actions[core->n_actions++];
    *a = (struct core_action){.kind = kind, .run = run};
    return a;
}

bool
core_next_action(struct core *core, struct core_action *out)
{
    if (core->next_action == core->n_actions) {
        core->next_action = core->n_actions = 0;
        return false;
    }
    *out = core->actions[core->next_action++];
    return true;
}

static void
end_by(struct core *core, struct lease *l, enum core_action_kind kind, bool charged)
{
    if (l->busy)
        return;
    l->busy = true;
    core_add_action(core, kind, l->run)->charged = charged;
}

/* ---- leases ---------------------------------------------------------------------- */

static struct session *
session_of(const struct core *core, const struct lease *l)
{
    return roster_find(&core->roster, l->session);
}

void
core_assign(struct core *core, struct lease *l, struct session *s)
{
    struct session *before = session_of(core, l);

    lease_unlink(l);
    lease_link(s != NULL ? &s->first : &core->orphans, l);
    if (before != NULL) {
        before->leases -= !l->over;
        roster_offer(&core->roster, before);
    }
    l->session = s != NULL ? s->id : 0;
    if (s == NULL)
        core->quiet_until_ms = 0;
    if (s != NULL) {
        s->leases += !l->over;
        snprintf(l->boot, sizeof l->boot, "%s", s->boot);
        snprintf(l->name, sizeof l->name, "%s", s->name);
    }
}

struct lease *
core_open_lease(struct core *core, struct msg_run run, int64_t class)
{
    struct lease *l = xcalloc(1, sizeof *l);

    l->run = run;
    l->class = class;
    queue_count_running(core->ready, class, 1);
    idmap_put(&core->leases, run.job, l);
    lease_link(&core->orphans, l);
    return l;
}

/* A worker that was never told of it can have another job instead. */
static void
close_lease(struct core *core, struct lease *l)
{
    struct session *s = session_of(core, l);

    if (s != NULL && l->unsent)
        s->offered++;
    core_assign(core, l, NULL);
    lease_unlink(l);
    queue_count_running(core->ready, l->class, -1);
    idmap_take(&core->leases, l->run.job);
    free(l);
}

static struct lease *
find_lease(const struct core *core, struct msg_run run)
{
    struct lease *l = idmap_find(&core->leases, run.job);

    return l != NULL && l->run.attempt == run.attempt ? l : NULL;
}

/* Closes the leases that were not named; collects first, for the map must not change
 * while it is walked. */
static void
close_unnamed(struct core *core)
{
    struct lease **dead = xcalloc(core->leases.n + 1, sizeof(void *)), *l;
    size_t n = 0;

    for (size_t at = 0; (l = idmap_next(&core->leases, &at)) != NULL;)
        if (!l->named)
            dead[n++] = l;
    for (size_t i = 0; i < n; i++)
        close_lease(core, dead[i]);
    free(dead);
}

/* ---- what the database says ------------------------------------------------------ */

void
core_add_ready(struct core *core, int64_t job, int64_t attempt, int64_t rank,
               int64_t class, int64_t wait_ms, int64_t now_ms)
{
    if (wait_ms > 0)
        heap_push(&core->waiting,
                  (struct heap_item){.key = now_ms + wait_ms,
                                     .id = job,
                                     .payload = {attempt, rank, class}});
    else
        queue_push(core->ready, class,
                   (struct heap_item){.key = -rank, .id = job, .payload = {attempt}});
}

void
core_forget(struct core *core, const struct job_span *spans, size_t n)
{
    if (n == 0)
        return;
    queue_forget(core->ready, spans, n);
    heap_forget(&core->waiting, spans, n);
}

/* People have changed what limits it. */
static void
reclass(struct core *core, struct lease *l, int64_t class)
{
    if (l->class == class)
        return;
    queue_count_running(core->ready, l->class, -1);
    queue_count_running(core->ready, l->class = class, 1);
}

void
core_reclass(struct core *core, struct msg_run run, int64_t class)
{
    struct lease *l = find_lease(core, run);

    if (l != NULL)
        reclass(core, l, class);
}

void
core_set_rules(struct core *core, const struct rules *rules, int64_t now_ms)
{
    queue_set_rules(core->ready, rules);
    rests_set(&core->rests, rules, now_ms);
}

bool
core_knows_class(const struct core *core, int64_t class)
{
    return queue_class(core->ready, class) != NULL;
}

void
core_take_twins(struct core *core, const struct twin_list *pairs)
{
    twins_take(&core->twins, pairs);
}

int64_t
core_last_twin(const struct core *core)
{
    return core->twins.last;
}

const struct rules_class *
core_class_of(const struct core *core, struct msg_run run)
{
    const struct lease *l = find_lease(core, run);

    return l != NULL ? queue_class(core->ready, l->class) : NULL;
}

void
core_sync_begin(struct core *core)
{
    struct lease *l;

    queue_clear(core->ready);
    core->waiting.n = 0;
    core->next_action = core->n_actions = 0;
    for (size_t at = 0; (l = idmap_next(&core->leases, &at)) != NULL;)
        l->named = l->busy = false;
}

void
core_sync_lease(struct core *core, struct msg_run run, int64_t class, const char *boot,
                const char *name, int64_t now_ms)
{
    struct lease *l = find_lease(core, run);

    if (l == NULL) {
        l = idmap_find(&core->leases, run.job);
        if (l != NULL)
            close_lease(core, l);
        l = core_open_lease(core, run, class);
        snprintf(l->boot, sizeof l->boot, "%s", boot);
        snprintf(l->name, sizeof l->name, "%s", name);
        l->deadline_ms = now_ms + 2 * core->config.lease_ms;
        core->quiet_until_ms = 0;
    }
    reclass(core, l, class);
    l->named = true;
    l->bare = false; /* another coordinator may have heard of it */
    if (l->unsent)
        end_by(core, l, CORE_RETURN, false);
}

void
core_sync_end(struct core *core)
{
    close_unnamed(core);
}

void
core_leased(struct core *core, struct msg_run run, bool committed)
{
    struct lease *l = find_lease(core, run);

    if (l == NULL)
        return;
    if (!committed) {
        close_lease(core, l);
        return;
    }
    l->busy = l->unsent = false;
    if (l->session == 0) /* the worker vanished while the lease was committed */
        end_by(core, l, CORE_RETURN, false);
}

void
core_ended(struct core *core, struct msg_run run)
{
    struct lease *l = find_lease(core, run);

    if (l != NULL)
        close_lease(core, l);
}

void
core_return(struct core *core, struct msg_run run)
{
    struct lease *l = find_lease(core, run);

    if (l != NULL)
        end_by(core, l, CORE_RETURN, false);
}

/* ---- what workers say ------------------------------------------------------------ */

static void
drop_session(struct core *core, struct session *s)
{
    while (s->first != NULL)
        core_assign(core, s->first, NULL);
    core->aside_ms = 0; /* a job may have waited for this worker */
    roster_drop(&core->roster, s);
}

/* Of a lease that was never sent nobody can know: what is named is of the past. So may be
 * what else a HELLO names that took its time: until something is told of the run, the
 * worker is asked. */
static bool
adopt(struct core *core, struct session *s, struct msg_run run, bool result,
      int64_t now_ms)
{
    struct lease *l = find_lease(core, run);

    if (l == NULL || l->unsent || !lease_is_of(l, s, result))
        return false;
    if (l->session != s->id || l->over != result) {
        core_assign(core, l, NULL);
        l->over = result;
        core_assign(core, l, s);
    }
    l->known = false;
    l->ask_ms = now_ms + core->config.lease_ms;
    return true;
}

struct session *
core_hello(struct core *core, const struct msg_hello *hello, int64_t now_ms,
           struct msg_run *kill, size_t *n_kill)
{
    struct session *old = roster_find_boot(&core->roster, hello->boot);
    struct session *s = session_of_hello(++core->last_session, hello, now_ms);
    struct lease *l;

    if (old != NULL)
        drop_session(core, old);
    core->quiet_until_ms = 0;
    roster_add(&core->roster, s);

    *n_kill = 0;
    for (size_t i = 0; i < hello->n_running; i++)
        if (!adopt(core, s, hello->running[i], false, now_ms))
            kill[(*n_kill)++] = hello->running[i];
    for (size_t i = 0; i < hello->n_held; i++)
        adopt(core, s, hello->held[i], true, now_ms);
    for (l = core->orphans; l != NULL; l = l->next)
        if (strcmp(l->boot, s->boot) == 0)
            end_by(core, l, CORE_RETURN, false);
    return s;
}

void
core_set_peer(struct core *core, struct session *s, const struct sock_peer *peer)
{
    roster_set_peer(&core->roster, s, peer);
}

struct session *
core_session_at(struct core *core, const struct sock_peer *peer)
{
    return roster_find_peer(&core->roster, peer);
}

void
core_offer(struct core *core, struct session *s, int64_t free)
{
    s->offered = free;
    roster_offer(&core->roster, s);
}

void
core_introduce(struct core *core, struct session *s, int64_t worker)
{
    s->worker = worker;
    roster_offer(&core->roster, s);
}

struct session *
core_session(struct core *core, int64_t session)
{
    return roster_find(&core->roster, session);
}

struct session *
core_heard(struct core *core, int64_t session, int64_t now_ms)
{
    struct session *s = core_session(core, session);

    if (s != NULL)
        s->heard_ms = now_ms;
    return s;
}

bool
core_is_bare(const struct core *core, struct msg_run run)
{
    const struct lease *l = find_lease(core, run);

    return l != NULL && l->bare;
}

void
core_bind(struct core *core, struct msg_run run)
{
    struct lease *l = find_lease(core, run);

    if (l != NULL)
        l->bare = l->unbound = false;
}

bool
core_is_bound(const struct core *core, struct msg_run run)
{
    const struct lease *l = find_lease(core, run);

    return l == NULL || !l->unbound;
}

bool
core_told(struct core *core, const struct session *s, struct msg_run run)
{
    struct lease *l = find_lease(core, run);

    if (l == NULL || l->session != s->id)
        return false;
    l->known = true;
    l->bare = false;
    return true;
}

void
core_result(struct core *core, struct session *s, struct msg_run run)
{
    struct lease *l = find_lease(core, run);

    if (l == NULL || l->session != s->id || l->over)
        return;
    l->over = true;
    s->leases--;
    roster_offer(&core->roster, s);
}

static void
announce_gone(struct core *core, const struct session *s)
{
    struct core_action *a = core_add_action(core, CORE_GONE, (struct msg_run){0});

    a->session = s->id;
    snprintf(a->boot, sizeof a->boot, "%s", s->boot);
}

void
core_bye(struct core *core, struct session *s, const struct msg_run *returned, size_t n,
         int64_t now_ms)
{
    struct lease *l;

    for (size_t i = 0; i < n; i++) {
        l = find_lease(core, returned[i]);
        if (l != NULL && l->session == s->id && !l->busy) {
            end_by(core, l, CORE_RETURN, false);
            core->actions[core->n_actions - 1].preempted = true;
        }
    }
    for (l = s->first; l != NULL; l = l->next)
        l->deadline_ms = now_ms + core->config.lease_ms;
    announce_gone(core, s);
    drop_session(core, s);
}

/* The worker is taken for dead: its jobs run elsewhere. */
static void
lose(struct core *core, struct session *s)
{
    struct lease *l;

    for (l = s->first; l != NULL; l = l->next)
        end_by(core, l, CORE_LOST, true);
    announce_gone(core, s);
    drop_session(core, s);
}

/* ---- time ------------------------------------------------------------------------ */

/* A GRANT that nothing has answered for a lease time may be lost, with the job: its
 * worker is asked, and says HELLO where it knows of nothing. A slow one is asked again.
 * Returns when that is. */
static int64_t
ask(struct core *core, struct lease *l, int64_t now_ms)
{
    if (l->known)
        return INT64_MAX;
    if (now_ms > l->ask_ms && !l->busy) {
        l->ask_ms = now_ms + core->config.lease_ms;
        core_add_action(core, CORE_ASK, l->run)->session = l->session;
    }
    /* a moment later, so that many leases are looked at together */
    return l->ask_ms + core->config.lease_ms / 16;
}

/* Looks at all sessions and leases, and so not again before something may be due: a
 * thousand workers beat more often than that. */
static void
expire(struct core *core, int64_t now_ms)
{
    if (now_ms <= core->quiet_until_ms)
        return;
    struct session **dead = xcalloc(core->roster.by_id.n + 1, sizeof(void *)), *s;
    int64_t until = INT64_MAX;
    struct lease *l;
    size_t n = 0;

    for (size_t at = 0; (l = idmap_next(&core->leases, &at)) != NULL;) {
        if (l->session != 0) {
            until = moment_earlier(until, ask(core, l, now_ms));
            continue;
        }
        until = moment_earlier(until, l->deadline_ms);
        if (now_ms > l->deadline_ms)
            end_by(core, l, CORE_LOST, false);
    }
    for (size_t at = 0; (s = idmap_next(&core->roster.by_id, &at)) != NULL;) {
        until = moment_earlier(until, s->heard_ms + core->config.lease_ms);
        if (session_is_silent(s, now_ms, core->config.lease_ms))
            dead[n++] = s;
    }
    core->quiet_until_ms = until;
    for (size_t i = 0; i < n; i++)
        lose(core, dead[i]);
    free(dead);
}

static void
wake_waiting(struct core *core, int64_t now_ms)
{
    const struct heap_item *top;

    while ((top = heap_top(&core->waiting)) != NULL && top->key <= now_ms) {
        const struct heap_item item = heap_pop(&core->waiting);
        core_add_ready(core, item.id, item.payload[0], item.payload[1], item.payload[2],
                       0, now_ms);
    }
}

void
core_tick(struct core *core, int64_t now_ms)
{
    expire(core, now_ms);
    wake_waiting(core, now_ms);
    core_grant(core, now_ms);
}

void
core_forgive(struct core *core, int64_t now_ms)
{
    struct session *s;
    struct lease *l;

    for (size_t at = 0; (s = idmap_next(&core->roster.by_id, &at)) != NULL;)
        s->heard_ms = now_ms;
    for (size_t at = 0; (l = idmap_next(&core->leases, &at)) != NULL;)
        if (l->session == 0)
            l->deadline_ms = now_ms + 2 * core->config.lease_ms;
}

/* ---- looking ---------------------------------------------------------------------- */

struct session *
core_session_of(struct core *core, struct msg_run run)
{
    const struct lease *l = find_lease(core, run);

    return l != NULL ? session_of(core, l) : NULL;
}

struct session *
core_next_session(const struct core *core, size_t *at)
{
    return idmap_next(&core->roster.by_id, at);
}

struct core_counts
core_count(const struct core *core)
{
    return (struct core_counts){.ready = queue_size(core->ready),
                                .waiting = core->waiting.n,
                                .leases = core->leases.n,
                                .sessions = core->roster.by_id.n};
}
