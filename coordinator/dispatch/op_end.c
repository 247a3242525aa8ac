/*
 * op_end.c - how attempts end. The state that follows is decided by two pure tables
 * (retry.c: what happens; job_state.c: where that leads) and written by one statement
 * that is conditional on the attempt. Children move in the same transaction.
 */
#include "coordinator/dispatch/op_end.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/db/attempts.h"
#include "coordinator/db/blobs.h"
#include "coordinator/db/events.h"
#include "coordinator/db/metrics.h"
#include "coordinator/db/policy.h"
#include "coordinator/db/requests.h"
#include "coordinator/db/workers.h"
#include "coordinator/dispatch/job_state.h"
#include "coordinator/dispatch/retry.h"
#include "shared/base/log.h"

static const char *
next_state(enum job_event event)
{
    const int next = job_state_next(JOB_LEASED, event);

    assert(next >= 0);
    return job_state_name((enum job_state)next);
}

/* The first blob of the result that is not stored; NULL when all are. */
static int
find_missing(struct pg *pg, const struct msg_result *m, const char **sha,
             struct err *err)
{
    int64_t id;

    *sha = NULL;
    for (size_t i = 0; i < m->n_artifacts && *sha == NULL; i++) {
        if (blobs_find(pg, m->artifacts[i].sha, &id, err) != 0)
            return -1;
        if (id == 0)
            *sha = m->artifacts[i].sha;
    }
    return 0;
}

static int
add_artifacts(struct pg *pg, const struct op *op, struct err *err)
{
    const struct msg_result *m = &op->m->u.result;
    bool stored;

    for (size_t i = 0; i < m->n_artifacts; i++)
        if (artifacts_add(pg, op->run.job, op->run.attempt, m->artifacts[i].name,
                          m->artifacts[i].sha, &stored, err)
            != 0)
            return -1;
    return 0;
}

/* What a job that does not run any more leaves behind. */
static int
clear_traces(struct pg *pg, int64_t job, bool finished, struct err *err)
{
    if (workers_forget_progress(pg, job, err) != 0)
        return -1;
    return finished ? requests_done(pg, job, err) : 0;
}

int
op_end_success(struct pg *pg, struct op *op, const struct op_success *s,
               struct err *err)
{
    const struct msg_result *m = &op->m->u.result;
    const struct attempt_end end = {.outcome = "ok",
                                    .exit_code = m->exit_code,
                                    .seconds = m->seconds,
                                    .peak_rss_bytes = m->peak_rss_bytes};
    const int64_t job = op->run.job, attempt = op->run.attempt;
    const char *missing;

    if (find_missing(pg, m, &missing, err) != 0)
        return -1;
    if (missing != NULL) {
        op->disposition = "missing";
        op->detail = missing;
        return 0;
    }
    if (add_artifacts(pg, op, err) != 0
        || metrics_finish(pg, job, attempt, s->finals, s->n_finals, err) != 0
        || attempts_end(pg, job, attempt, &end, err) != 0
        || jobs_finish(pg, job, attempt, next_state(EV_SUCCESS), NULL, 0, &op->done,
                       err)
               != 0
        || artifacts_drop_checkpoint(pg, job, err) != 0
        || jobs_release_children(pg, job, &op->ready, err) != 0)
        return -1;
    return clear_traces(pg, job, true, err);
}

/* The kind of failure, its words, and whether it can be compared with others. */
struct failure {
    enum retry_kind kind;
    struct attempt_end end;
    bool comparable;
};

static struct retry_own
own(int64_t forgiven)
{
    return (struct retry_own){.given = forgiven >= 0, .forgiven = forgiven};
}

static int
decide(struct pg *pg, const struct op *op, const struct failure *f,
       struct job_counts *counts, struct retry_decision *out, struct err *err)
{
    const char *print = f->comparable ? f->end.fingerprint : "";

    if (jobs_counts(pg, op->run.job, print, counts, err) != 0)
        return -1;
    const struct retry_history history = {
        .n = {[RETRY_ERROR] = counts->error,
              [RETRY_LOST] = counts->lost,
              [RETRY_OOM] = counts->oom,
              [RETRY_TIMEOUT] = counts->timeout},
        .own = {[RETRY_ERROR] = own(counts->own_error),
                [RETRY_LOST] = own(counts->own_lost),
                [RETRY_OOM] = own(counts->own_oom),
                [RETRY_TIMEOUT] = own(counts->own_timeout)},
        .same = counts->same,
        .max_lost = op->max_lost,
        .cancel_requested = counts->cancel_requested,
        .hold = counts->hold};
    *out = retry_decide(f->kind, &history,
                        (uint64_t)op->run.job * 1009u + (uint64_t)op->run.attempt);
    return 0;
}

static int
stop_sweeps(struct pg *pg, struct op *op, struct err *err)
{
    bool stopped;

    if (policy_stop_sweeps(pg, op->run.job, &stopped, err) != 0)
        return -1;
    op->rules_changed = op->rules_changed || stopped;
    return 0;
}

/* After the state was written: the job is ready again, or others hear that it is not. */
static int
follow(struct pg *pg, struct op *op, const struct retry_decision *d,
       const struct job_counts *counts, struct err *err)
{
    const int next = job_state_next(JOB_LEASED, d->event);
    int64_t count;

    if (next == JOB_READY) {
        op->ready.items = xgrow(op->ready.items, &op->ready.capacity, op->ready.n + 1,
                                sizeof *op->ready.items);
        op->ready.items[op->ready.n++] = (struct job_ready){.id = op->run.job,
                                                            .attempt = op->run.attempt,
                                                            .rank = counts->rank,
                                                            .class = counts->class,
                                                            .wait_ms = d->wait_ms};
        return 0;
    }
    if (next == JOB_HELD)
        return 0;
    if (jobs_fail_dependants(pg, op->run.job, &count, err) != 0)
        return -1;
    return next == JOB_CANCELLED ? 0 : stop_sweeps(pg, op, err);
}

/* The words for an attempt that a person has stopped. */
static struct attempt_end
end_of(const struct failure *f, enum job_event event)
{
    struct attempt_end end = f->end;

    if (event == EV_CANCEL && f->kind == RETRY_STOPPED)
        end.outcome = "cancelled";
    return end;
}

static int
blame_host(struct pg *pg, struct op *op, const struct failure *f, struct err *err)
{
    bool rests = false;

    if (f->comparable
        && policy_blame_host(pg, op->run.job, f->end.fingerprint, &rests, err) != 0)
        return -1;
    if (rests)
        log_warn("dispatch", "job=%lld attempt=%lld action=host-rests",
                 (long long)op->run.job, (long long)op->run.attempt);
    op->rules_changed = op->rules_changed || rests;
    return 0;
}

static int
end_badly(struct pg *pg, struct op *op, const struct failure *f, struct err *err)
{
    const int64_t job = op->run.job, attempt = op->run.attempt;
    struct retry_decision d;
    struct job_counts counts;

    if (decide(pg, op, f, &counts, &d, err) != 0
        || jobs_finish(pg, job, attempt, next_state(d.event), retry_counter(f->kind),
                       d.wait_ms, &op->done, err)
               != 0)
        return -1;
    if (!op->done) /* it ended in another way meanwhile */
        return 0;
    log_info("dispatch", "job=%lld attempt=%lld outcome=%s state=%s why=\"%s\"",
             (long long)job, (long long)attempt, f->end.outcome, next_state(d.event),
             d.why);
    const struct attempt_end end = end_of(f, d.event);
    if (attempts_end(pg, job, attempt, &end, err) != 0
        || blame_host(pg, op, f, err) != 0
        || events_add(pg, job, attempt, job_event_name(d.event), d.why, err) != 0
        || clear_traces(pg, job, d.event == EV_CANCEL || d.event == EV_HOLD, err) != 0)
        return -1;
    return follow(pg, op, &d, &counts, err);
}

/* A worker could not go on from the checkpoint that it was given: the one before it is the
 * newest now. That happens at most twice, so nobody counts it; without a checkpoint it is
 * an error like another. */
static int
fall_back(struct pg *pg, const struct op *op, struct failure *f, struct err *err)
{
    struct artifact_fall fall;
    char detail[128];

    if (strcmp(f->end.outcome, err_kind_name(ERR_CHECKPOINT)) != 0)
        return 0;
    if (artifacts_fall_back(pg, op->run.job, op->run.attempt, &fall, err) != 0)
        return -1;
    if (!fall.done) {
        f->kind = RETRY_ERROR;
        return 0;
    }
    if (fall.to_step > 0)
        snprintf(detail, sizeof detail,
                 "the one of step %lld cannot be used; goes on from step %lld",
                 (long long)fall.from_step, (long long)fall.to_step);
    else
        snprintf(detail, sizeof detail,
                 "the one of step %lld cannot be used; goes on from the beginning",
                 (long long)fall.from_step);
    log_warn("dispatch", "job=%lld attempt=%lld event=checkpoint text=\"%s\"",
             (long long)op->run.job, (long long)op->run.attempt, detail);
    return events_add(pg, op->run.job, op->run.attempt, "checkpoint", detail, err);
}

int
op_end_failure(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct msg_result *m = &op->m->u.result;
    char *print = arena_alloc(mem, RETRY_FINGERPRINT);
    struct failure f = {.kind = retry_kind_of(m->outcome, m->signal)};

    f.end.outcome = m->outcome;
    if (fall_back(pg, op, &f, err) != 0)
        return -1;
    retry_fingerprint(print, m->outcome, m->text);
    f.comparable = f.kind != RETRY_LOST && f.kind != RETRY_STOPPED;
    f.end = (struct attempt_end){.outcome = m->outcome,
                                 .error = m->text,
                                 .fingerprint = print,
                                 .exit_code = m->exit_code,
                                 .signal = m->signal,
                                 .seconds = m->seconds,
                                 .peak_rss_bytes = m->peak_rss_bytes};
    return end_badly(pg, op, &f, err);
}

int
op_end_refused(struct pg *pg, struct op *op, bool given_up, struct err *err)
{
    log_warn("dispatch", "job=%lld attempt=%lld session=%lld result=fenced outcome=%s",
             (long long)op->run.job, (long long)op->run.attempt, (long long)op->session,
             op->m->u.result.outcome);
    if (!given_up)
        return 0;
    return events_add(pg, op->run.job, op->run.attempt, "fenced",
                      "a result came after its attempt had been given up", err);
}

int
op_end_lost(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct failure f = {.kind = op->charged ? RETRY_LOST : RETRY_STOPPED,
                              .end = {.outcome = "lost",
                                      .error = op->charged
                                                   ? "the worker fell silent"
                                                   : "the worker did not come back",
                                      .fingerprint = "lost",
                                      .seconds = -1}};

    (void)mem;
    return end_badly(pg, op, &f, err);
}

int
op_end_returned(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct failure f = {
        .kind = RETRY_STOPPED,
        .end = {.outcome = op->preempted ? "preempted" : "returned", .seconds = -1}};

    (void)mem;
    return end_badly(pg, op, &f, err);
}
