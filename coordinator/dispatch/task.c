/*
 * task.c - what the dispatcher asks of the database, one task at a time, and what it does
 * with the answers. `run` is done by the writer's thread and touches only what belongs to
 * it (dispatcher_impl.h); `done` is done by the loop. Invariant: nothing is committed by a
 * session that does not hold the leader lock, and whenever memory may differ from the
 * database, it is read again.
 */
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
#include "shared/base/crash.h"
#include "shared/base/file.h"
#include "shared/base/log.h"

enum {
    SYNC_PAUSE_MS = 100, /* between two readings of the whole queue */
    FLUSH_MS = 1000,     /* between two writings of progress */
    REPLAN_MS = 5000,
    RETRY_MIN_MS = 50,
    RETRY_MAX_MS = 1000,
    LEADER_POLL_MS = 100,
    SESSIONS_PER_EPOCH = 1 << 20,
    MANY_READY = 10000,
    MANY_NEW = 1000,
    TOLD_MS = 1000,   /* that news may wait of which notes have told */
    LOOK_MAX_MS = 20, /* that other news may wait for commits */
};

struct task {
    int (*run)(struct dispatcher *d, struct err *err);
    int (*done)(struct dispatcher *d, int64_t now_ms, struct err *err);
};

/* ---- the connection --------------------------------------------------------------- */

static int
run_open(struct dispatcher *d, struct err *err)
{
    return pg_open(&d->pg, d->config.database, "relusweep-coordinator", err);
}

static int
done_open(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    (void)now_ms;
    (void)err;
    log_info("dispatch", "action=reconnected");
    d->connect_ms = 0;
    return 0;
}

static void
try_later(struct dispatcher *d)
{
    const int64_t wait = d->connect_wait_ms * 2;

    d->connect_wait_ms = wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS;
    d->connect_ms = clock_mono_ms() + d->connect_wait_ms;
}

/* What was on its way comes again: nothing of it was acknowledged. */
static void
lose_database(struct dispatcher *d, const struct err *err)
{
    log_error("dispatch", "action=reconnect why=\"%s\"", err->text);
    pg_close(d->pg);
    d->pg = NULL;
    d->leads = false;
    batch_clear(&d->sending);
    batch_clear(&d->batch);
    d->n_doubtful = 0;
    d->connect_wait_ms = RETRY_MIN_MS;
    d->connect_ms = clock_mono_ms() + d->connect_wait_ms;
    notes_clear(&d->notes);
    store_set_epoch(d->config.store, 0);
}

static const struct task task_open = {run_open, done_open};

/* ---- leading ---------------------------------------------------------------------- */

/* Tries to lead with a connection that does not hold the lock yet. */
static int
run_lead(struct dispatcher *d, struct err *err)
{
    char me[320], host[256] = "?";

    gethostname(host, sizeof host - 1);
    snprintf(me, sizeof me, "%s:%d", host, (int)getpid());
    if (leader_try(d->pg, me, &d->took_epoch, d->holder, sizeof d->holder, err) != 0)
        return -1;
    if (d->took_epoch == 0)
        return 0;
    crash_point("lead-taken");
    forms_release(&d->forms);
    /* it may have been migrated, or replaced, while we waited or were away */
    if (migrate_check(d->pg, DB_SCHEMA_VERSION, err) != 0
        || (d->fresh && workers_gone(d->pg, NULL, err) != 0)
        || pg_script(d->pg, "LISTEN relusweep; SET lock_timeout = '1s'", err) != 0
        || leader_watch(d->pg, err) != 0)
        return -1;
    return hot_prepare(d->pg, err);
}

static void
say_waiting(struct dispatcher *d)
{
    if (!d->waiting_said)
        log_warn(
            "dispatch",
            "state=waiting why=\"another coordinator (%s) leads this database; this "
            "one takes over when it ends\"",
            d->holder);
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
    d->last_twin = core_last_twin(d->core);
    d->epoch = epoch;
    d->leads = true;
    d->must_sync = d->must_cancel = true;
    d->sync_ms = 0;
    d->waiting_said = false;
    core_forgive(d->core, now_ms);
    store_set_epoch(d->config.store, epoch);
    log_info("dispatch", "state=leading epoch=%lld", (long long)epoch);
}

static int
done_lead(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    if (d->took_epoch == 0) { /* whoever had a session with us goes to the other one */
        core_free(d->core);
        d->core = NULL;
        d->epoch = 0;
        d->connect_ms = now_ms + LEADER_POLL_MS;
        say_waiting(d);
        return 0;
    }
    d->connect_ms = 0;
    begin_epoch(d, d->took_epoch, now_ms);
    return announce(d, err);
}

static const struct task task_lead = {run_lead, done_lead};

/* ---- reading the queue ------------------------------------------------------------- */

static int
load_rules(struct dispatcher *d, struct err *err)
{
    rules_release(&d->rules);
    d->twins.n = 0;
    return rules_load(d->pg, &d->rules, err) == 0
               ? twins_load(d->pg, d->last_twin, &d->twins, err)
               : -1;
}

static void
take_rules(struct dispatcher *d, int64_t now_ms)
{
    core_set_rules(d->core, &d->rules, now_ms);
    core_take_twins(d->core, &d->twins);
    d->last_twin = core_last_twin(d->core);
}

static void
forget_news(struct dispatcher *d)
{
    d->news.ready.n = d->news.leased.n = d->news.n_changed = 0;
    d->news.many = false;
}

static int
run_sync(struct dispatcher *d, struct err *err)
{
    forget_news(d);
    if (load_rules(d, err) != 0)
        return -1;
    return jobs_load_ready(d->pg, &d->news.ready, err) == 0
               ? jobs_load_leased(d->pg, &d->news.leased, err)
               : -1;
}

/* Did the queue in memory hear of this job from a note, and nothing since? */
static bool
was_told(const struct dispatcher *d, int64_t job)
{
    if (d->told.n == 0 || idmap_find(&d->told, job) == NULL)
        return false;
    for (size_t i = 0; i < d->news.n_changed; i++)
        if (job >= d->news.changed[i].first && job <= d->news.changed[i].last)
            return false;
    return true;
}

static void
add_ready(struct dispatcher *d, int64_t now_ms)
{
    struct job_ready_list *ready = &d->news.ready;

    if (ready->n >= MANY_NEW)
        d->planned_ms = 0; /* plans were made for smaller tables */
    for (size_t i = 0; i < ready->n; i++) {
        const struct job_ready *j = &ready->items[i];
        if (!was_told(d, j->id))
            core_add_ready(d->core, j->id, j->attempt, j->rank, j->class, j->wait_ms,
                           now_ms);
    }
    ready->n = 0;
    if (ready->capacity < MANY_READY)
        return;
    free(ready->items); /* the core has them; next time there are few */
    *ready = (struct job_ready_list){0};
}

static int
done_sync(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    const size_t n_ready = d->news.ready.n;

    (void)err;
    core_sync_begin(d->core);
    idmap_release(&d->told);
    take_rules(d, now_ms);
    add_ready(d, now_ms);
    for (size_t i = 0; i < d->news.leased.n; i++) {
        const struct job_leased *l = &d->news.leased.items[i];
        core_sync_lease(d->core, (struct msg_run){.job = l->id, .attempt = l->attempt},
                        l->class, l->boot, l->name, now_ms);
    }
    core_sync_end(d->core);
    log_info("dispatch", "action=sync ready=%zu leased=%zu", n_ready, d->news.leased.n);
    crash_point("queue-read");
    d->n_doubtful = 0;
    d->must_sync = false;
    d->must_look = true; /* old news are read now, not when somebody waits */
    d->sync_ms = now_ms + SYNC_PAUSE_MS;
    return 0;
}

static const struct task task_sync = {run_sync, done_sync};

bool
task_holds(const struct dispatcher *d, int64_t now_ms)
{
    return d->task == &task_sync || (d->must_sync && now_ms >= d->sync_ms);
}

/* What other programs have changed. No transaction: if what is taken does not arrive, the
 * whole queue is read. */
static int
run_news(struct dispatcher *d, struct err *err)
{
    forget_news(d);
    if (notes_take(d->pg, &d->notes, err) != 0)
        return -1;
    notes_clear(&d->notes); /* what they told of, we read now */
    return load_rules(d, err) == 0 ? jobs_take_news(d->pg, &d->news, err) : -1;
}

static int
done_news(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    (void)err;
    d->must_cancel = true;
    d->must_sync = d->must_sync || d->news.many;
    take_rules(d, now_ms);
    if (d->news.many)
        return 0;
    core_forget(d->core, d->news.changed, d->news.n_changed);
    for (size_t i = 0; i < d->news.leased.n; i++) {
        const struct job_leased *l = &d->news.leased.items[i];
        core_reclass(d->core, (struct msg_run){.job = l->id, .attempt = l->attempt},
                     l->class);
    }
    add_ready(d, now_ms);
    idmap_release(&d->told);
    return 0;
}

static const struct task task_news = {run_news, done_news};

/* ---- hearing of news ---------------------------------------------------------------- */

/* A new job may be leased at once, unless rules or news that are older than the job have
 * not been read yet. */
static void
take_told(struct dispatcher *d, const struct job_ready *j, int64_t now_ms)
{
    if (d->must_look || d->must_sync || !core_knows_class(d->core, j->class)) {
        d->must_look = true;
        return;
    }
    if (d->told.n == 0)
        d->told_ms = now_ms + TOLD_MS;
    idmap_put(&d->told, j->id, d);
    core_add_ready(d->core, j->id, j->attempt, j->rank, j->class, j->wait_ms, now_ms);
}

/* over: the task at whose end they were taken, or NULL. */
static void
use_notes(struct dispatcher *d, const struct task *over, int64_t now_ms)
{
    if (d->notes.look || over == &task_sync || over == &task_news)
        d->must_look = d->must_look || d->notes.look || d->notes.ready.n > 0;
    for (size_t i = 0; i < d->notes.ready.n; i++)
        take_told(d, &d->notes.ready.items[i], now_ms);
    notes_clear(&d->notes);
}

void
task_hear(struct dispatcher *d, int64_t now_ms)
{
    struct err ignored; /* a task finds it out again */

    if (notes_take(d->pg, &d->notes, &ignored) != 0)
        d->must_look = true;
    use_notes(d, NULL, now_ms);
}

static int
run_doubts(struct dispatcher *d, struct err *err)
{
    forget_news(d);
    return jobs_load_some(d->pg, d->asked, d->n_asked, &d->news.ready, err);
}

static int
done_doubts(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    (void)err;
    add_ready(d, now_ms);
    return 0;
}

static const struct task task_doubts = {run_doubts, done_doubts};

static int
run_cancels(struct dispatcher *d, struct err *err)
{
    d->cancels.n = 0;
    return requests_open(d->pg, &d->cancels, err);
}

static int
done_cancels(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    (void)err;
    outbox_cancels(d, &d->cancels, now_ms);
    return 0;
}

static const struct task task_cancels = {run_cancels, done_cancels};

/* ---- writing ----------------------------------------------------------------------- */

static int
run_commit(struct dispatcher *d, struct err *err)
{
    const int64_t now_ms = clock_mono_ms();

    if (now_ms - d->planned_ms > REPLAN_MS) {
        d->planned_ms = now_ms;
        if (hot_replan(d->pg, err) != 0)
            return -1;
    }
    return batch_commit(&d->sending, d->pg, &d->forms, err);
}

static int
done_commit(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    const struct batch empty = d->sent;

    (void)now_ms;
    (void)err;
    d->sent = d->sending;
    d->sending = empty;
    return 0;
}

static const struct task task_commit = {run_commit, done_commit};

static int
run_progress(struct dispatcher *d, struct err *err)
{
    if (pg_begin(d->pg, err) != 0
        || workers_progress(d->pg, d->rows, d->n_rows, err) != 0)
        return -1;
    return pg_commit(d->pg, err);
}

static int
done_progress(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    (void)d;
    (void)now_ms;
    (void)err;
    return 0;
}

static const struct task task_progress = {run_progress, done_progress};

/* ---- which one --------------------------------------------------------------------- */

static int
run_task(void *ctx, struct err *err)
{
    struct dispatcher *d = ctx;

    if (d->task->run(d, err) != 0)
        return -1;
    return notes_take(d->pg, &d->notes, err);
}

static void
begin(struct dispatcher *d, const struct task *task)
{
    d->task = task;
    writer_run(d->writer, run_task, d);
}

static void
begin_commit(struct dispatcher *d)
{
    const struct batch empty = d->sending;

    d->sending = d->batch;
    d->batch = empty;
    begin(d, &task_commit);
}

static void
begin_doubts(struct dispatcher *d)
{
    free(d->asked);
    d->asked = d->doubtful;
    d->n_asked = d->n_doubtful;
    d->doubtful = NULL;
    d->n_doubtful = d->doubtful_capacity = 0;
    begin(d, &task_doubts);
}

static void
begin_progress(struct dispatcher *d, int64_t now_ms)
{
    struct worker_progress *row;

    free(d->rows);
    d->rows = xcalloc(d->progress.n + 1, sizeof *d->rows);
    d->n_rows = 0;
    for (size_t at = 0; (row = idmap_next(&d->progress, &at)) != NULL;) {
        d->rows[d->n_rows++] = *row;
        free(row);
    }
    idmap_release(&d->progress);
    d->flush_ms = now_ms + FLUSH_MS;
    begin(d, &task_progress);
}

static void
begin_news(struct dispatcher *d)
{
    d->must_look = false;
    d->look_ms = 0;
    begin(d, &task_news);
}

/* There may always be something to commit. */
static bool
looks_first(struct dispatcher *d, int64_t now_ms)
{
    if (d->must_look && d->look_ms == 0)
        d->look_ms = now_ms;
    return d->must_look && now_ms - d->look_ms > LOOK_MAX_MS && !task_holds(d, now_ms);
}

void
task_begin(struct dispatcher *d, int64_t now_ms)
{
    if (d->pg == NULL) {
        if (now_ms >= d->connect_ms)
            begin(d, &task_open);
    } else if (!d->leads) {
        d->fresh = d->core == NULL;
        if (now_ms >= d->connect_ms)
            begin(d, &task_lead);
    } else if (looks_first(d, now_ms)) {
        begin_news(d);
    } else if (d->batch.n > 0) {
        begin_commit(d);
    } else if (task_holds(d, now_ms)) {
        begin(d, &task_sync);
    } else if (d->must_look || (d->told.n > 0 && now_ms >= d->told_ms)) {
        begin_news(d);
    } else if (d->n_doubtful > 0) {
        begin_doubts(d);
    } else if (d->must_cancel) {
        d->must_cancel = false;
        begin(d, &task_cancels);
    } else if (d->progress.n > 0 && now_ms >= d->flush_ms) {
        begin_progress(d, now_ms);
    }
}

static int
task_failed(struct dispatcher *d, const struct task *task, struct err *err)
{
    if (task == &task_open) {
        try_later(d);
        return 0;
    }
    if (pg_alive(d->pg) && err->kind != ERR_DB)
        return -1;
    lose_database(d, err);
    return 0;
}

int
task_finish(struct dispatcher *d, int64_t now_ms, struct err *err)
{
    const struct task *task = d->task;
    int rc;

    if (!writer_take(d->writer, &rc, err))
        return 0;
    d->task = NULL;
    if (rc != 0)
        return task_failed(d, task, err);
    if (task->done(d, now_ms, err) != 0)
        return -1;
    if (d->leads)
        use_notes(d, task, now_ms);
    else
        notes_clear(&d->notes);
    return 0;
}
