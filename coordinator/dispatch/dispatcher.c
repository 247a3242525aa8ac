/*
 * dispatcher.c - the loop, and the life of the connection that leads. Invariant: nothing
 * is answered that is not committed, and nothing is committed by a session that does not
 * hold the leader lock. Whenever memory may differ from the database, it is read again.
 */
#include "coordinator/dispatch/dispatcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/db/db.h"
#include "coordinator/db/hot.h"
#include "coordinator/db/leader.h"
#include "coordinator/db/migrate.h"
#include "coordinator/db/workers.h"
#include "coordinator/dispatch/dispatcher_impl.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/log.h"

enum {
    TICK_MS = 50,
    SYNC_PAUSE_MS = 100, /* between two readings of the whole queue */
    FLUSH_MS = 1000,     /* between two writings of progress */
    RETRY_MIN_MS = 50,
    RETRY_MAX_MS = 1000,
    LEADER_POLL_MS = 250,
    SESSIONS_PER_EPOCH = 1 << 20,
};

int
dispatcher_new(struct dispatcher **out, const struct dispatcher_config *config,
               struct err *err)
{
    struct dispatcher *d = xcalloc(1, sizeof *d);

    *out = NULL;
    d->config = *config;
    d->batch.max_lost = config->max_lost;
    if (pg_open(&d->pg, config->database, "relusweep-coordinator", err) != 0
        || migrate_apply(d->pg, err) != 0) {
        dispatcher_free(d);
        return -1;
    }
    *out = d;
    return 0;
}

static void
forget_progress(struct dispatcher *d)
{
    void *row;

    for (size_t at = 0; (row = idmap_next(&d->progress, &at)) != NULL;)
        free(row);
    idmap_release(&d->progress);
}

void
dispatcher_free(struct dispatcher *d)
{
    if (d == NULL)
        return;
    forget_progress(d);
    batch_release(&d->batch);
    core_free(d->core);
    pg_close(d->pg);
    free(d);
}

/* ---- leading ---------------------------------------------------------------------- */

static void
lose_database(struct dispatcher *d, const struct err *err)
{
    log_error("dispatch", "action=reconnect why=\"%s\"", err->text);
    pg_close(d->pg);
    d->pg = NULL;
    d->leads = false;
    d->connect_wait_ms = RETRY_MIN_MS;
    d->connect_ms = clock_mono_ms() + d->connect_wait_ms;
    store_set_epoch(d->config.store, 0);
}

static void
reconnect(struct dispatcher *d, int64_t now_ms)
{
    struct err err;

    if (now_ms < d->connect_ms)
        return;
    if (pg_open(&d->pg, d->config.database, "relusweep-coordinator", &err) == 0) {
        log_info("dispatch", "action=reconnected");
        d->connect_ms = 0;
        return;
    }
    d->connect_wait_ms =
        d->connect_wait_ms * 2 < RETRY_MAX_MS ? d->connect_wait_ms * 2 : RETRY_MAX_MS;
    d->connect_ms = clock_mono_ms() + d->connect_wait_ms;
}

static void
say_waiting(struct dispatcher *d, const char *holder)
{
    if (!d->waiting_said)
        log_warn(
            "dispatch",
            "state=waiting why=\"another coordinator (%s) leads this database; this "
            "one takes over when it ends\"",
            holder);
    d->waiting_said = true;
}

static int
announce(struct dispatcher *d, struct err *err)
{
    if (d->announced || d->config.ready_file[0] == '\0')
        return 0;
    d->announced = true;
    return file_write(d->config.ready_file, d->config.ready_text,
                      strlen(d->config.ready_text), err);
}

/* A new core unless the same process leads again: then its sessions go on. */
static void
begin_epoch(struct dispatcher *d, int64_t epoch, int64_t now_ms)
{
    const struct core_config config = {.lease_ms = d->config.lease_ms,
                                       .first_session = epoch * SESSIONS_PER_EPOCH};

    if (d->core == NULL)
        d->core = core_new(&config);
    d->epoch = epoch;
    d->leads = true;
    d->must_sync = d->must_cancel = true;
    d->sync_ms = 0;
    d->waiting_said = false;
    core_forgive(d->core, now_ms);
    store_set_epoch(d->config.store, epoch);
    log_info("dispatch", "state=leading epoch=%lld", (long long)epoch);
}

/* Tries to lead with a connection that does not hold the lock yet. */
static int
take_lead(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    char me[320], host[256] = "?", holder[320];
    int64_t epoch, version;

    if (now_ms < d->connect_ms)
        return 0;
    d->connect_ms = now_ms + LEADER_POLL_MS;
    gethostname(host, sizeof host - 1);
    snprintf(me, sizeof me, "%s:%d", host, (int)getpid());
    if (leader_try(d->pg, me, &epoch, holder, sizeof holder, err) != 0)
        return -1;
    if (epoch == 0) { /* whoever had a session with us has to go to the other one */
        core_free(d->core);
        d->core = NULL;
        d->epoch = 0;
        say_waiting(d, holder);
        return 0;
    }
    d->connect_ms = 0;
    /* it may have been migrated while we waited or were away */
    if (migrate_version(d->pg, DB_SCHEMA_VERSION, &version, err) != 0
        || (d->core == NULL && workers_gone(d->pg, NULL, err) != 0)
        || pg_script(d->pg, "LISTEN relusweep; SET lock_timeout = '1s'", err) != 0
        || hot_prepare(d->pg, err) != 0)
        return -1;
    begin_epoch(d, epoch, now_ms);
    return announce(d, err);
}

/* ---- reading the queue ------------------------------------------------------------- */

static int
sync_core(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    struct job_ready_list ready = {0};
    struct job_leased_list leased = {0};
    int rc = -1;

    if (jobs_load_ready(d->pg, &ready, err) == 0
        && jobs_load_leased(d->pg, &leased, err) == 0) {
        core_sync_begin(d->core);
        for (size_t i = 0; i < ready.n; i++)
            core_add_ready(d->core, ready.items[i].id, ready.items[i].attempt,
                           ready.items[i].priority, ready.items[i].wait_ms, now_ms);
        for (size_t i = 0; i < leased.n; i++)
            core_sync_lease(d->core,
                            (struct msg_run){.job = leased.items[i].id,
                                             .attempt = leased.items[i].attempt},
                            leased.items[i].boot, now_ms);
        core_sync_end(d->core);
        log_debug("dispatch", "action=sync ready=%zu leased=%zu", ready.n, leased.n);
        d->must_sync = false;
        d->sync_ms = now_ms + SYNC_PAUSE_MS;
        rc = 0;
    }
    free(ready.items);
    free(leased.items);
    return rc;
}

/* What other programs have changed. */
static int
look_around(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    int64_t notes;

    if (pg_notified(d->pg, &notes, err) != 0)
        return -1;
    if (notes > 0)
        d->must_sync = d->must_cancel = true;
    if (d->must_sync && now_ms >= d->sync_ms && sync_core(d, now_ms, err) != 0)
        return -1;
    return 0;
}

/* ---- one round --------------------------------------------------------------------- */

static void
add_action_op(struct dispatcher *d, const struct core_action *a)
{
    static const enum op_kind kinds[] = {[CORE_LEASE] = OP_LEASE,
                                         [CORE_LOST] = OP_LOST,
                                         [CORE_RETURN] = OP_RETURN,
                                         [CORE_GONE] = OP_GONE};
    const struct session *s = core_session(d->core, a->session);
    struct op *op = batch_add(&d->batch, kinds[a->kind]);

    op->run = a->run;
    op->session = a->session;
    op->charged = a->charged;
    op->worker = s != NULL ? s->worker : 0;
    op->boot = arena_strdup(&d->batch.mem, a->boot);
    if (a->kind == CORE_LOST || a->kind == CORE_GONE)
        log_warn("dispatch", "job=%lld attempt=%lld boot=%s action=%s",
                 (long long)a->run.job, (long long)a->run.attempt, a->boot,
                 a->kind == CORE_LOST ? "lease-expired" : "session-ended");
}

/* Commits and delivers until nothing is left to be done. */
static int
work(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    struct core_action action;

    for (;;) {
        while (core_next_action(d->core, &action))
            add_action_op(d, &action);
        if (d->batch.n == 0)
            return 0;
        if (batch_commit(&d->batch, d->pg, err) != 0)
            return -1;
        outbox_deliver(d, now_ms);
        batch_clear(&d->batch);
    }
}

static int
flush_progress(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    struct worker_progress *row;

    if (now_ms < d->flush_ms || d->progress.n == 0)
        return 0;
    d->flush_ms = now_ms + FLUSH_MS;
    if (pg_begin(d->pg, err) != 0)
        return -1;
    for (size_t at = 0; (row = idmap_next(&d->progress, &at)) != NULL;)
        if (workers_progress(d->pg, row, 1, err) != 0)
            return -1;
    forget_progress(d);
    return pg_commit(d->pg, err);
}

static int
lead(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    if (look_around(d, now_ms, err) != 0)
        return -1;
    inbox_drain(d, now_ms);
    if (now_ms - d->round_ms > d->config.lease_ms / 2)
        core_forgive(d->core, now_ms);
    if (work(d, now_ms, err) != 0)
        return -1;
    core_tick(d->core, now_ms);
    if (work(d, now_ms, err) != 0)
        return -1;
    if (d->must_cancel) {
        d->must_cancel = false;
        if (outbox_cancels(d, now_ms, err) != 0)
            return -1;
    }
    return flush_progress(d, now_ms, err);
}

/* Without the database: stay in touch, grant nothing. */
static void
bridge(struct dispatcher *d, int64_t now_ms)
{
    inbox_drain(d, now_ms);
    reconnect(d, now_ms);
}

static void
wait_for_news(struct dispatcher *d)
{
    const int fds[] = {d->config.stop_fd, d->pg != NULL ? pg_fd(d->pg) : -1};
    unsigned char ready[3];

    sock_wait(&d->config.control, 1, fds, d->pg != NULL ? 2 : 1, ready, TICK_MS);
    d->stop = ready[1] != 0;
}

static int
round_once(struct dispatcher *d, struct err *err)
{
    const int64_t now_ms = clock_mono_ms();
    int rc = 0;

    if (d->pg == NULL)
        bridge(d, now_ms);
    else if (!d->leads)
        rc = take_lead(d, now_ms, err);
    else
        rc = lead(d, now_ms, err);
    if (d->core != NULL)
        outbox_heartbeats(d, now_ms);
    batch_clear(&d->batch);
    d->round_ms = clock_mono_ms();
    return rc;
}

int
dispatcher_run(struct dispatcher *d, struct err *err)
{
    d->round_ms = clock_mono_ms();
    while (!d->stop) {
        wait_for_news(d);
        if (round_once(d, err) == 0)
            continue;
        if (d->pg != NULL && pg_alive(d->pg) && err->kind != ERR_DB)
            return -1;
        lose_database(d, err);
    }
    log_info("dispatch", "action=end");
    return 0;
}
