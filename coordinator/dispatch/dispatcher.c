/*
 * dispatcher.c - the loop: messages in, the queue in memory, answers out, while the
 * writer's thread commits what came before (task.c). Invariant: nothing is answered that
 * is not committed.
 */
#include "coordinator/dispatch/dispatcher.h"

#include <stdlib.h>

#include "coordinator/db/migrate.h"
#include "coordinator/db/workers.h"
#include "coordinator/dispatch/dispatcher_impl.h"
#include "shared/base/clock.h"
#include "shared/base/crash.h"
#include "shared/base/log.h"

enum { TICK_MS = 50 };

int
dispatcher_new(struct dispatcher **out, const struct dispatcher_config *config,
               struct err *err)
{
    struct dispatcher *d = xcalloc(1, sizeof *d);

    *out = NULL;
    d->config = *config;
    sock_gather(config->control);
    d->batch.max_lost = d->sending.max_lost = d->sent.max_lost = config->max_lost;
    if (pg_open(&d->pg, config->database, "relusweep-coordinator", err) != 0
        || migrate_apply(d->pg, err) != 0 || writer_start(&d->writer, err) != 0) {
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
    writer_stop(d->writer); /* first: its task uses the rest */
    forget_progress(d);
    batch_release(&d->batch);
    batch_release(&d->sending);
    batch_release(&d->sent);
    core_free(d->core);
    json_decref(d->contract);
    pg_close(d->pg);
    free(d->news.ready.items);
    free(d->news.leased.items);
    free(d->news.changed);
    free(d->notes.ready.items);
    idmap_release(&d->told);
    rules_release(&d->rules);
    free(d->twins.items);
    forms_release(&d->forms);
    free(d->cancels.items);
    free(d->rows);
    free(d->asked);
    free(d->doubtful);
    free(d);
}

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
    op->preempted = a->preempted;
    op->worker = s != NULL ? s->worker : 0;
    op->boot = arena_strdup(&d->batch.mem, a->boot);
    if (a->kind == CORE_LOST || a->kind == CORE_GONE)
        log_warn("dispatch", "job=%lld attempt=%lld boot=%s action=%s",
                 (long long)a->run.job, (long long)a->run.attempt, a->boot,
                 a->kind == CORE_LOST ? "lease-expired" : "session-ended");
}

/* Moves the queue in memory on; what it wants committed joins the batch. */
static void
lead(struct dispatcher *d, int64_t now_ms)
{
    struct core_action action;

    if (now_ms - d->round_ms > d->config.lease_ms / 2)
        core_forgive(d->core, now_ms);
    core_tick(d->core, now_ms);
    while (core_next_action(d->core, &action))
        if (action.kind == CORE_ASK)
            outbox_ask(d, action.session, action.run, now_ms);
        else
            add_action_op(d, &action);
}

int
dispatcher_round(struct dispatcher *d, struct err *err)
{
    const int64_t now_ms = clock_mono_ms();

    if (task_finish(d, now_ms, err) != 0)
        return -1;
    if (d->sent.n > 0
        && d->batch.n > 0) /* the next commit runs while we tell of this */
        task_begin(d, now_ms);
    if (d->sent.n > 0) {
        outbox_deliver(d, now_ms);
        outbox_flush(d, now_ms);
    }
    if (!task_holds(d, now_ms)) {
        inbox_drain(d, now_ms);
        if (d->leads)
            lead(d, now_ms);
    }
    if (d->core != NULL)
        outbox_heartbeats(d, now_ms);
    outbox_flush(d, now_ms);
    crash_point("round-done");
    if (!writer_busy(d->writer))
        task_begin(d, now_ms);
    if (d->batch.n == 0)
        batch_clear(&d->batch);
    d->round_ms = clock_mono_ms();
    return 0;
}

/* The connection belongs to the task that runs; else news may come through it. */
static void
wait_for_news(struct dispatcher *d)
{
    const bool listens = d->leads && !writer_busy(d->writer);
    const int fds[] = {d->config.stop_fd, writer_fd(d->writer),
                       listens ? pg_fd(d->pg) : -1};
    unsigned char ready[4];

    sock_wait(&d->config.control, 1, fds, listens ? 3 : 2, ready, TICK_MS);
    d->stop = ready[1] != 0;
    if (listens && ready[3] != 0)
        task_hear(d, clock_mono_ms());
}

int
dispatcher_run(struct dispatcher *d, struct err *err)
{
    d->round_ms = clock_mono_ms();
    while (!d->stop) {
        if (dispatcher_round(d, err) != 0)
            return -1;
        wait_for_news(d);
    }
    log_info("dispatch", "action=end");
    return 0;
}
