/*
 * session.c - the worker's protocol state. Invariant: whatever the coordinator has not
 * acknowledged is still here, and leaves again on every new session. Must not know
 * sockets, processes, files or the clock.
 */
#include "worker/agent/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/base/moment.h"
#include "worker/agent/session_run.h"

enum {
    HELLO_MS = 1000, /* between two of them */
    RETRY_MS = 50,   /* when nothing could be sent */

    RESEND_MS = 3000,         /* what was not acknowledged */
    METRICS_MS = 250,         /* that points may wait for company */
    PATIENCE_MS = 3000,       /* for a WELCOME, before another endpoint is tried */
    SPARE_PATIENCE_MS = 1000, /* the same where there is another endpoint */
    MISSED_WORDS = 3,         /* then it is tried */
    PLACES = 1024,            /* of runs, by job */
    HEARTBEAT_MS = 500,       /* until a WELCOME says otherwise */
    MIN_HEARTBEAT_MS = 20,
};

struct session {
    struct session_identity who;
    struct session_io io;
    int64_t id; /* 0: not welcome yet */
    int64_t heartbeat_ms, lease_ms;
    int64_t word_ms;  /* between two words of the coordinator */
    int64_t heard_ms; /* from the coordinator; or when we began to try */
    int64_t hello_due_ms;
    int64_t heartbeat_due_ms;
    int64_t offered; /* free slots in the last READY, -1: none sent */
    int64_t
        ready_due_ms; /* when it is said again: an idle worker may not be forgotten */
    int64_t limit;    /* jobs at once for now */
    bool draining;
    bool blocked;                       /* the last send failed */
    int64_t retry_ms;                   /* when blocked: not before */
    int64_t blocked_ms;                 /* since when, 0: not blocked */
    struct session_run *runs;           /* oldest first, as acknowledgements come */
    struct session_run **end;           /* where the next one goes */
    struct session_run *places[PLACES]; /* the same by the job's number */
};

struct session *
session_new(const struct session_identity *who, const struct session_io *io,
            int64_t now_ms)
{
    struct session *s = xcalloc(1, sizeof *s);

    *s = (struct session){.who = *who,
                          .io = *io,
                          .heartbeat_ms = HEARTBEAT_MS,
                          .word_ms = HEARTBEAT_MS,
                          .lease_ms = PATIENCE_MS,
                          .heard_ms = now_ms,
                          .offered = -1,
                          .limit = who->slots};
    s->end = &s->runs;
    return s;
}

void
session_free(struct session *s)
{
    if (s == NULL)
        return;
    while (s->runs != NULL) {
        struct session_run *next = s->runs->next;
        session_run_free(s->runs);
        s->runs = next;
    }
    free(s);
}

bool
session_is_up(const struct session *s)
{
    return s->id != 0;
}

/* ---- runs ------------------------------------------------------------------------- */

static bool
same_run(struct msg_run a, struct msg_run b)
{
    return a.job == b.job && a.attempt == b.attempt;
}

static size_t
place_of(struct msg_run run)
{
    return (uint64_t)run.job % PLACES;
}

static struct session_run *
find_run(const struct session *s, struct msg_run run)
{
    struct session_run *r = s->places[place_of(run)];

    while (r != NULL && !same_run(r->run, run))
        r = r->next_alike;
    return r;
}

static struct session_run *
add_run(struct session *s, struct msg_run run)
{
    struct session_run *r = session_run_new(run);

    *s->end = r;
    s->end = &r->next;
    r->next_alike = s->places[place_of(run)];
    s->places[place_of(run)] = r;
    return r;
}

static void
leave_place(struct session *s, const struct session_run *r)
{
    struct session_run **at = &s->places[place_of(r->run)];

    while (*at != r)
        at = &(*at)->next_alike;
    *at = r->next_alike;
}

void
session_run_forget(struct session *s, struct msg_run run)
{
    for (struct session_run **at = &s->runs; *at != NULL; at = &(*at)->next) {
        struct session_run *r = *at;
        if (!same_run(r->run, run))
            continue;
        *at = r->next;
        if (*at == NULL)
            s->end = at;
        leave_place(s, r);
        session_run_free(r);
        return;
    }
}

/* Forgets the run and has it killed. */
static void
drop_run(struct session *s, struct msg_run run)
{
    session_run_forget(s, run);
    s->io.drop(s->io.ctx, run);
}

static int64_t
free_slots(const struct session *s)
{
    int64_t n = s->draining ? 0 : s->limit;

    for (const struct session_run *r = s->runs; r != NULL; r = r->next)
        n -= !r->ended;
    return n > 0 ? n : 0;
}

/* ---- local events ----------------------------------------------------------------- */

void
session_run_add_held(struct session *s, struct msg_run run)
{
    if (find_run(s, run) == NULL)
        add_run(s, run)->ended = true;
}

void
session_run_restore(struct session *s, struct msg_run run,
                    const struct msg_metrics *batch)
{
    struct session_run *r = find_run(s, run);

    if (r != NULL)
        session_run_take_batch(r, batch);
}

const struct msg_metrics *
session_run_batch(const struct session *s, struct msg_run run, size_t i)
{
    const struct session_run *r = find_run(s, run);
    const struct session_batch *b = r != NULL ? r->batches : NULL;

    for (; b != NULL && i > 0; i--)
        b = b->next;
    return b != NULL ? &b->metrics : NULL;
}

void
session_run_started(struct session *s, struct msg_run run, int64_t pid,
                    const char *provenance)
{
    struct session_run *r = find_run(s, run);

    if (r == NULL)
        return;
    arena_release(&r->started_mem);
    r->started =
        (struct msg_started){.run = run,
                             .pid = pid,
                             .provenance = arena_strdup(&r->started_mem, provenance)};
    r->started_due_ms = 0;
}

void
session_run_progress(struct session *s, const struct msg_progress *p)
{
    struct session_run *r = find_run(s, p->run);

    if (r == NULL)
        return;
    r->progress = *p;
    r->has_progress = true;
}

void
session_run_metrics(struct session *s, struct msg_run run,
                    const struct msg_point *points, size_t n, int64_t now_ms)
{
    struct session_run *r = find_run(s, run);

    if (r != NULL)
        session_run_add_points(r, points, n, now_ms, METRICS_MS);
}

int
session_run_log(struct session *s, struct msg_run run, int64_t offset, const char *text)
{
    const struct msg m = {MSG_LOG, .u.log = {s->id, run, offset, text}};

    return s->id == 0 || s->blocked ? 1 : s->io.send(s->io.ctx, &m);
}

void
session_run_checkpoint(struct session *s, struct msg_run run, int64_t step,
                       const char *sha, int64_t size)
{
    struct session_run *r = find_run(s, run);

    if (r == NULL)
        return;
    arena_release(&r->checkpoint_mem);
    r->checkpoint =
        (struct msg_checkpoint){.run = run,
                                .step = step,
                                .sha = arena_strdup(&r->checkpoint_mem, sha),
                                .size = size};
    r->checkpoint_after = session_run_close_batch(r);
    r->checkpoint_due_ms = 0;
}

void
session_run_ended(struct session *s, struct msg_run run)
{
    struct session_run *r = find_run(s, run);

    if (r == NULL)
        return;
    r->ended = true;
    (void)session_run_close_batch(r); /* no company will come */
}

static struct msg_point *
copy_points(struct arena *mem, const struct msg_point *points, size_t n)
{
    struct msg_point *copy = arena_alloc(mem, n * sizeof *copy);

    for (size_t i = 0; i < n; i++) {
        copy[i] = points[i];
        copy[i].name = arena_strdup(mem, points[i].name);
        copy[i].unit = arena_strdup(mem, points[i].unit);
        copy[i].goal = arena_strdup(mem, points[i].goal);
    }
    return copy;
}

static struct msg_artifact *
copy_artifacts(struct arena *mem, const struct msg_artifact *artifacts, size_t n)
{
    struct msg_artifact *copy = arena_alloc(mem, n * sizeof *copy);

    for (size_t i = 0; i < n; i++)
        copy[i] = (struct msg_artifact){.name = arena_strdup(mem, artifacts[i].name),
                                        .sha = arena_strdup(mem, artifacts[i].sha),
                                        .size = artifacts[i].size};
    return copy;
}

void
session_run_result(struct session *s, const struct msg_result *result)
{
    struct session_run *r = find_run(s, result->run);

    if (r == NULL)
        return;
    arena_release(&r->result_mem);
    r->result = *result;
    r->result.outcome = arena_strdup(&r->result_mem, result->outcome);
    r->result.text = arena_strdup(&r->result_mem, result->text);
    r->result.finals = copy_points(&r->result_mem, result->finals, result->n_finals);
    r->result.artifacts =
        copy_artifacts(&r->result_mem, result->artifacts, result->n_artifacts);
    r->result_due_ms = 0;
    r->checkpoint_due_ms = INT64_MAX; /* what comes behind a result is too late */
    session_run_ended(s, result->run);
}

void
session_limit(struct session *s, int64_t n)
{
    s->limit = n < s->who.slots ? n : s->who.slots;
}

void
session_drain(struct session *s)
{
    s->draining = true;
}

/* ---- sending ---------------------------------------------------------------------- */

static bool
sent(struct session *s, const struct msg *m)
{
    s->blocked = s->io.send(s->io.ctx, m) != 0;
    return !s->blocked;
}

static size_t
list_runs(const struct session *s, bool ended, struct msg_run *out)
{
    size_t n = 0;

    for (const struct session_run *r = s->runs; r != NULL; r = r->next)
        if (r->ended == ended)
            out[n++] = r->run;
    return n;
}

static size_t
count_runs(const struct session *s)
{
    size_t n = 0;

    for (const struct session_run *r = s->runs; r != NULL; r = r->next)
        n++;
    return n;
}

static bool
send_hello(struct session *s)
{
    const size_t room = count_runs(s) + 1;
    struct msg_run *running = xcalloc(room, sizeof *running);
    struct msg_run *held = xcalloc(room, sizeof *held);
    const struct msg m = {MSG_HELLO,
                          .u.hello = {.name = s->who.name,
                                      .boot = s->who.boot,
                                      .host = s->who.host,
                                      .version = s->who.version,
                                      .catalog = s->who.catalog,
                                      .slots = s->who.slots,
                                      .threads = s->who.threads,
                                      .memory_bytes = s->who.memory_bytes,
                                      .labels = s->who.labels,
                                      .backend = s->who.backend,
                                      .running = running,
                                      .n_running = list_runs(s, false, running),
                                      .held = held,
                                      .n_held = list_runs(s, true, held)}};
    const bool ok = sent(s, &m);

    free(running);
    free(held);
    return ok;
}

static bool
send_heartbeat(struct session *s)
{
    struct msg_progress *progress = xcalloc(count_runs(s) + 1, sizeof *progress);
    size_t n = 0;

    for (const struct session_run *r = s->runs; r != NULL; r = r->next)
        if (r->has_progress && !r->ended)
            progress[n++] = r->progress;
    const struct msg m = {MSG_HEARTBEAT, .u.heartbeat = {s->id, progress, n}};
    const bool ok = sent(s, &m);
    free(progress);
    return ok;
}

static void
send_ready(struct session *s, int64_t now_ms)
{
    const int64_t free_now = free_slots(s);
    const struct msg m = {MSG_READY, .u.ready = {s->id, free_now}};

    if (free_now == s->offered && (free_now == 0 || now_ms < s->ready_due_ms))
        return;
    if (!sent(s, &m))
        return;
    s->offered = free_now;
    s->ready_due_ms = now_ms + moment_later(RESEND_MS, s->heartbeat_ms);
}

/* Will send_ready say again what it has said? That is a sign of life, and an idle worker
 * has no progress to tell. */
static bool
repeats_ready(const struct session *s, int64_t now_ms)
{
    return s->runs == NULL && s->offered > 0 && now_ms >= s->ready_due_ms;
}

static void
send_items(struct session *s, int64_t now_ms)
{
    for (struct session_run *r = s->runs; r != NULL; r = r->next) {
        struct msg m;
        int64_t *due;
        while (session_run_next(r, s->id, now_ms, &m, &due)) {
            if (!sent(s, &m))
                return;
            *due = now_ms + RESEND_MS;
        }
    }
}

int
session_bye(struct session *s, const char *reason, struct msg_run *returned, size_t n)
{
    const struct msg m = {MSG_BYE, .u.bye = {s->id, reason, returned, n}};

    return s->id != 0 && sent(s, &m) ? 0 : 1;
}

/* ---- time ------------------------------------------------------------------------- */

/* Begins to ask for a session. */
static void
seek(struct session *s, int64_t now_ms)
{
    s->id = 0;
    s->offered = -1;
    s->heard_ms = now_ms;
    s->hello_due_ms = now_ms;
    s->blocked_ms = 0;
}

/* With another coordinator to go to, a mistake costs a HELLO, and waiting costs time. */
static int64_t
patience_ms(const struct session *s)
{
    const int64_t words_ms = MISSED_WORDS * s->word_ms;

    if (s->who.has_spare)
        return s->id == 0 ? SPARE_PATIENCE_MS : words_ms;
    return s->id == 0 ? PATIENCE_MS
                      : moment_later(moment_later(PATIENCE_MS, s->lease_ms), words_ms);
}

/* A coordinator that is silent, or one that is gone and known to be: its connection has
 * ended, and takes nothing. */
static bool
should_move(const struct session *s, int64_t now_ms)
{
    return now_ms - s->heard_ms > patience_ms(s)
           || (s->who.has_spare && s->id != 0 && s->blocked_ms != 0
               && now_ms - s->blocked_ms > SPARE_PATIENCE_MS);
}

static void
send_due(struct session *s, int64_t now_ms)
{
    if (s->id == 0) {
        if (now_ms >= s->hello_due_ms && send_hello(s))
            s->hello_due_ms = now_ms + HELLO_MS;
        return;
    }
    if (now_ms >= s->heartbeat_due_ms
        && (repeats_ready(s, now_ms) || send_heartbeat(s)))
        s->heartbeat_due_ms = now_ms + s->heartbeat_ms;
    send_items(s, now_ms);
    send_ready(s,
               now_ms); /* last, so that results are there before more is asked for */
}

void
session_tick(struct session *s, int64_t now_ms)
{
    if (should_move(s, now_ms)) {
        if (s->id != 0)
            log_warn("session", "session=%" PRId64 " state=silent ms=%" PRId64, s->id,
                     now_ms - s->heard_ms);
        seek(s, now_ms);
        s->io.reconnect(s->io.ctx);
    }
    s->blocked = false;
    send_due(s, now_ms);
    if (!s->blocked)
        s->blocked_ms = 0;
    else if (s->blocked_ms == 0)
        s->blocked_ms = now_ms;
    s->retry_ms = now_ms + RETRY_MS;
}

int64_t
session_next_ms(const struct session *s)
{
    int64_t at = s->heard_ms + patience_ms(s) + 1;

    if (s->id == 0)
        at = moment_earlier(at, s->hello_due_ms);
    else
        at = moment_earlier(at, s->heartbeat_due_ms);
    for (const struct session_run *r = s->runs; s->id != 0 && r != NULL; r = r->next)
        at = moment_earlier(at, session_run_due_ms(r));
    return s->blocked && at < s->retry_ms ? s->retry_ms : at;
}

/* ---- messages --------------------------------------------------------------------- */

static void
set_pace(struct session *s, int64_t heartbeat_ms, int64_t word_ms)
{
    s->heartbeat_ms = moment_later(heartbeat_ms, MIN_HEARTBEAT_MS);
    s->word_ms = moment_later(word_ms, s->heartbeat_ms);
}

static void
take_welcome(struct session *s, const struct msg_welcome *w, int64_t now_ms)
{
    s->id = w->session;
    s->lease_ms = w->lease_ms;
    set_pace(s, w->heartbeat_ms, w->word_ms);
    s->heartbeat_due_ms = now_ms;
    s->offered = -1;
    log_info("session", "session=%" PRId64 " state=up", s->id);
    for (struct session_run *r = s->runs; r != NULL; r = r->next)
        session_run_rewind(r);
    s->io.welcome(s->io.ctx, w->bulk);
    for (size_t i = 0; i < w->n_kill; i++)
        if (find_run(s, w->kill[i]) != NULL)
            drop_run(s, w->kill[i]);
}

static void
take_grant(struct session *s, const struct msg_grant *g)
{
    if (find_run(s, g->run) != NULL)
        return; /* a repeat */
    add_run(s, g->run);
    s->offered = s->offered > 0 ? s->offered - 1 : 0;
    s->io.grant(s->io.ctx, g);
}

static void
ack_checkpoint(struct session *s, struct session_run *r, const struct msg_ack *a)
{
    if (r->checkpoint_due_ms == INT64_MAX || a->seq != r->checkpoint.step)
        return;
    r->checkpoint_due_ms = INT64_MAX;
    if (strcmp(a->disposition, "missing") == 0)
        s->io.missing(s->io.ctx, r->run, a->what, r->checkpoint.sha);
    else
        s->io.checkpointed(s->io.ctx, r->run, a->seq);
}

static void
ack_result(struct session *s, struct session_run *r, const struct msg_ack *a)
{
    const struct msg_run run = r->run;

    if (r->result_due_ms == INT64_MAX)
        return;
    if (strcmp(a->disposition, "missing") == 0) {
        r->result_due_ms = INT64_MAX;
        s->io.missing(s->io.ctx, run, a->what, a->detail);
        return;
    }
    session_run_forget(s, run);
    s->io.settled(s->io.ctx, run);
}

static void
take_ack(struct session *s, const struct msg_ack *a)
{
    struct session_run *r = find_run(s, a->run);

    if (r == NULL)
        return;
    if (strcmp(a->disposition, "fenced") == 0) {
        log_warn("session", "job=%" PRId64 " attempt=%" PRId64 " state=fenced what=%s",
                 a->run.job, a->run.attempt, a->what);
        drop_run(s, a->run);
    } else if (strcmp(a->what, "started") == 0) {
        r->started_due_ms = INT64_MAX;
    } else if (strcmp(a->what, "metrics") == 0) {
        session_run_drop_batch(r, a->seq);
    } else if (strcmp(a->what, "checkpoint") == 0) {
        ack_checkpoint(s, r, a);
    } else if (strcmp(a->what, "result") == 0) {
        ack_result(s, r, a);
    }
}

static void
take_reject(struct session *s, const struct msg_reject *r, int64_t now_ms)
{
    if (strcmp(r->code, "who-are-you") == 0) {
        if (s->id != 0)
            seek(s, now_ms);
        return;
    }
    log_warn("session", "event=reject code=%s text=\"%s\"", r->code, r->text);
    if (strcmp(r->code, "version") == 0 || strcmp(r->code, "refused") == 0)
        s->io.refused(s->io.ctx, r->text);
}

/* The coordinator names runs that should be here and that it has heard nothing of. If one
 * of them is not, a HELLO tells it what is. */
static void
take_heartbeat(struct session *s, const struct msg_heartbeat *h, int64_t now_ms)
{
    if (h->heartbeat_ms > 0)
        set_pace(s, h->heartbeat_ms, h->word_ms);
    for (size_t i = 0; i < h->n_progress && s->id != 0; i++) {
        const struct msg_run run = h->progress[i].run;
        if (find_run(s, run) != NULL)
            continue;
        log_warn("session",
                 "job=%" PRId64 " attempt=%" PRId64 " event=unknown action=hello",
                 run.job, run.attempt);
        seek(s, now_ms);
    }
}

void
session_message(struct session *s, const struct msg *m, int64_t now_ms)
{
    s->heard_ms = now_ms;
    switch (m->type) {
    case MSG_WELCOME: take_welcome(s, &m->u.welcome, now_ms); break;
    case MSG_GRANT: take_grant(s, &m->u.grant); break;
    case MSG_ACK: take_ack(s, &m->u.ack); break;
    case MSG_CANCEL:
        if (find_run(s, m->u.cancel.run) != NULL)
            s->io.cancel(s->io.ctx, m->u.cancel.run, m->u.cancel.hard,
                         m->u.cancel.reason);
        break;
    case MSG_REJECT: take_reject(s, &m->u.reject, now_ms); break;
    case MSG_HEARTBEAT: take_heartbeat(s, &m->u.heartbeat, now_ms); break;
    default: log_debug("session", "event=ignored type=%s", msg_type_name(m->type));
    }
}
