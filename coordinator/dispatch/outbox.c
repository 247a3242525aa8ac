/*
 * outbox.c - what is said after a commit: WELCOME, GRANT, ACK, and the queue in memory
 * hears of it first. Nothing is sent that has not been committed.
 */
#include <stdlib.h>
#include <string.h>

#include "coordinator/dispatch/contract.h"
#include "coordinator/dispatch/dispatcher_impl.h"
#include "shared/base/crash.h"
#include "shared/base/log.h"

enum { BEATS_LOOKS = 8 };

/* Its worker has to say HELLO again. */
static void
drop_session(struct dispatcher *d, struct session *s, int64_t now_ms)
{
    log_warn("dispatch",
             "worker=%s session=%lld action=drop-session why=\"it cannot be reached\"",
             s->name, (long long)s->id);
    core_bye(d->core, s, NULL, 0, now_ms);
}

void
outbox_flush(struct dispatcher *d, int64_t now_ms)
{
    struct sock_peer gone;

    while (sock_flush(d->config.control, &gone) != 0) {
        struct session *s = d->core != NULL ? core_session_at(d->core, &gone) : NULL;
        if (s != NULL)
            drop_session(d, s, now_ms);
    }
}

int
outbox_send(struct dispatcher *d, struct session *s, const struct msg *m,
            int64_t now_ms)
{
    if (sock_send(d->config.control, &s->peer, m) == 0) {
        s->spoken_ms = now_ms;
        return 0;
    }
    drop_session(d, s, now_ms);
    return -1;
}

static void
add_ready(struct dispatcher *d, const struct op *op, int64_t now_ms)
{
    for (size_t i = 0; i < op->ready.n; i++) {
        const struct job_ready *j = &op->ready.items[i];
        core_add_ready(d->core, j->id, j->attempt, j->rank, j->class, j->wait_ms,
                       now_ms);
    }
}

static void
deliver_hello(struct dispatcher *d, const struct op *op, int64_t now_ms)
{
    struct session *s = core_session(d->core, op->session);

    if (s == NULL || op->failed)
        return; /* it says HELLO again */
    if (op->catalog != NULL)
        d->catalog = sha256_bytes(op->catalog, strlen(op->catalog));
    core_introduce(d->core, s, op->number);
    d->must_cancel = true;
    (void)outbox_send(d, s, op->reply, now_ms);
}

static void
send_grant(struct dispatcher *d, const struct op *op, struct session *s, int64_t now_ms)
{
    static const struct rules_class nothing = {0};
    const struct rules_class *known = core_class_of(d->core, op->run);
    const struct rules_class *rules = known != NULL ? known : &nothing;
    const size_t n = op->inputs.n;
    struct msg_input *inputs = arena_alloc(&d->sent.mem, (n + 1) * sizeof *inputs);
    const struct msg m = {.type = MSG_GRANT,
                          .u.grant = {.run = op->run,
                                      .spec = op->spec,
                                      .digest = op->digest,
                                      .inputs = inputs,
                                      .n_inputs = n,
                                      .resume_sha = op->resume.sha,
                                      .resume_size = op->resume.size,
                                      .resume_step = op->resume.step,
                                      .timeout_s = rules->timeout_s,
                                      .stall_s = rules->stall_s}};

    for (size_t i = 0; i < n; i++) {
        const struct artifact_input *in = &op->inputs.items[i];
        inputs[i] = (struct msg_input){
            .stage = in->stage, .name = in->name, .sha = in->sha, .size = in->size};
    }
    log_debug("dispatch", "job=%lld attempt=%lld worker=%s state=leased resume=%lld",
              (long long)op->run.job, (long long)op->run.attempt, s->name,
              (long long)op->resume.step);
    if (contract_binds(s->contract, op->spec))
        core_bind(d->core, op->run);
    if (outbox_send(d, s, &m, now_ms) != 0)
        core_return(d->core, op->run);
}

/* Nobody can do a job of which nobody knows what it is: the attempt has failed, and may
 * be made again as others are. */
static void
end_undescribed(struct dispatcher *d, const struct op *lease)
{
    struct msg *m = arena_alloc(&d->batch.mem, sizeof *m);
    struct op *op = batch_add(&d->batch, OP_RESULT);

    *m = (struct msg){
        .type = MSG_RESULT,
        .u.result = {.run = lease->run,
                     .outcome = "error",
                     .text = "the coordinator could not read what this job is; its "
                             "log says why",
                     .seconds = -1}};
    op->run = lease->run;
    op->session = lease->session;
    op->m = m;
}

static void
deliver_lease(struct dispatcher *d, const struct op *op, int64_t now_ms)
{
    core_leased(d->core, op->run, op->done);
    if (!op->done) { /* memory and database differ about this job */
        d->doubtful = xgrow(d->doubtful, &d->doubtful_capacity, d->n_doubtful + 1,
                            sizeof *d->doubtful);
        d->doubtful[d->n_doubtful++] = op->run.job;
        return;
    }
    struct session *s = core_session_of(d->core, op->run);
    if (op->spec == NULL)
        end_undescribed(d, op);
    else if (s != NULL)
        send_grant(d, op, s, now_ms);
}

static void
deliver_end(struct dispatcher *d, const struct op *op, int64_t now_ms)
{
    if (op->failed) {
        d->must_sync = true;
        return;
    }
    d->must_look = d->must_look || op->rules_changed;
    core_ended(d->core, op->run);
    add_ready(d, op, now_ms);
}

static void
send_ack(struct dispatcher *d, const struct op *op, const char *what, int64_t seq,
         int64_t now_ms)
{
    struct session *s = core_session(d->core, op->session);
    const struct msg m = {.type = MSG_ACK,
                          .u.ack = {.run = op->run,
                                    .what = what,
                                    .seq = seq,
                                    .disposition = op->disposition,
                                    .detail = op->detail}};

    if (s != NULL && !op->failed && op->disposition != NULL)
        (void)outbox_send(d, s, &m, now_ms);
}

static void
deliver_result(struct dispatcher *d, const struct op *op, int64_t now_ms)
{
    if (!op->failed && !op->foreign && strcmp(op->disposition, "missing") != 0)
        deliver_end(d, op, now_ms);
    send_ack(d, op, "result", 0, now_ms);
}

static void
deliver(struct dispatcher *d, const struct op *op, int64_t now_ms)
{
    switch (op->kind) {
    case OP_HELLO: deliver_hello(d, op, now_ms); break;
    case OP_LEASE: deliver_lease(d, op, now_ms); break;
    case OP_LOST:
    case OP_RETURN: deliver_end(d, op, now_ms); break;
    case OP_STARTED: send_ack(d, op, "started", 0, now_ms); break;
    case OP_METRICS: send_ack(d, op, "metrics", op->m->u.metrics.seq, now_ms); break;
    case OP_CHECKPOINT:
        send_ack(d, op, "checkpoint", op->m->u.checkpoint.step, now_ms);
        break;
    case OP_RESULT: deliver_result(d, op, now_ms); break;
    case OP_GONE:
    case OP_LOG: break;
    }
}

void
outbox_deliver(struct dispatcher *d, int64_t now_ms)
{
    for (size_t i = 0; i < d->sent.n; i++)
        deliver(d, &d->sent.ops[i], now_ms);
    crash_point("answers-made");
    batch_clear(&d->sent);
}

/* Is it time for a word? When the fleet has grown, its first workers beat as those of a
 * small one until they hear of it. */
static bool
is_due(const struct session *s, const struct session_pace *pace, int64_t now_ms)
{
    return s->worker != 0
           && (now_ms - s->spoken_ms >= s->pace.word_ms
               || s->pace.beat_ms <= pace->beat_ms / 2);
}

/* Looks at all sessions, and so only a few times in the while that one may be left
 * without a word. */
void
outbox_heartbeats(struct dispatcher *d, int64_t now_ms)
{
    const size_t n_sessions = core_count(d->core).sessions;
    const struct session_pace pace =
        session_pace(n_sessions, d->config.heartbeat_ms, d->config.lease_ms);

    if (now_ms < d->beat_ms)
        return;
    d->beat_ms = now_ms + pace.beat_ms / BEATS_LOOKS;
    struct session **due = arena_alloc(&d->batch.mem, (n_sessions + 1) * sizeof *due);
    struct session *s;
    size_t n = 0;

    for (size_t at = 0; (s = core_next_session(d->core, &at)) != NULL;)
        if (is_due(s, &pace, now_ms))
            due[n++] = s;
    for (size_t i = 0; i < n; i++) {
        const struct msg m = {.type = MSG_HEARTBEAT,
                              .u.heartbeat = {.session = due[i]->id,
                                              .heartbeat_ms = pace.beat_ms,
                                              .word_ms = pace.word_ms}};
        due[i]->pace = pace;
        (void)outbox_send(d, due[i], &m, now_ms);
    }
}

void
outbox_ask(struct dispatcher *d, int64_t session, struct msg_run run, int64_t now_ms)
{
    struct session *s = core_session(d->core, session);
    struct msg_progress asked = {.run = run};
    const struct msg m = {
        .type = MSG_HEARTBEAT,
        .u.heartbeat = {.session = session, .progress = &asked, .n_progress = 1}};

    if (s == NULL)
        return;
    log_debug("dispatch", "job=%lld attempt=%lld worker=%s action=ask",
              (long long)run.job, (long long)run.attempt, s->name);
    (void)outbox_send(d, s, &m, now_ms);
}

void
outbox_cancels(struct dispatcher *d, const struct request_list *list, int64_t now_ms)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct request_cancel *r = &list->items[i];
        const struct msg m = {
            .type = MSG_CANCEL,
            .u.cancel = {.run = {.job = r->job, .attempt = r->attempt},
                         .hard = r->hard,
                         .reason =
                             r->hold ? "paused by a person" : "cancelled by a person"}};
        struct session *s = core_session_of(d->core, m.u.cancel.run);
        if (s != NULL)
            (void)outbox_send(d, s, &m, now_ms);
    }
}
