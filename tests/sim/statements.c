/*
 * statements.c - what the SQL of coordinator/db does, told in C: each function stands for
 * the one of the same name and keeps its conditions. A new statement of the dispatcher
 * needs its model here. Must not know who asks.
 */
#include "tests/sim/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/artifacts.h"
#include "coordinator/db/attempts.h"
#include "coordinator/db/blobs.h"
#include "coordinator/db/hot.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/metrics.h"
#include "shared/base/mem.h"

static struct job_row *
find_job(struct model *m, int64_t job)
{
    return job >= 1 && job <= m->n_jobs ? &m->jobs[job] : NULL;
}

/* The fence. NULL: this attempt is not the current one. */
static struct job_row *
current(struct model *m, int64_t job, int64_t attempt)
{
    struct job_row *j = find_job(m, job);

    return j != NULL && j->state == JOB_LEASED && j->attempt == attempt ? j : NULL;
}

static int64_t
blob_number(const char *sha)
{
    const int64_t n = strtoll(sha, NULL, 10);

    return n > 0 && n < MAX_BLOBS ? n : 0;
}

static void
blob_sha(char out[65], int64_t blob)
{
    snprintf(out, 65, "%032lld", (long long)blob);
}

/* ---- jobs.h: reading --------------------------------------------------------------- */

static void
add_ready(const struct model *m, int64_t job, struct job_ready_list *out)
{
    const struct job_row *j = &m->jobs[job];
    const int64_t wait = j->not_before_ms - model_clock_ms();

    out->items = xgrow(out->items, &out->capacity, out->n + 1, sizeof *out->items);
    out->items[out->n++] =
        (struct job_ready){.id = job,
                           .attempt = j->attempt,
                           .rank = model_rank(m, job),
                           .class = j->class,
                           .wait_ms = j->not_before_ms != 0 && wait > 0 ? wait : 0};
}

int
jobs_load_ready(struct pg *pg, struct job_ready_list *out, struct err *err)
{
    const struct model *m = statement(pg, err);

    for (int64_t i = 1; m != NULL && i <= m->n_jobs; i++)
        if (m->jobs[i].state == JOB_READY)
            add_ready(m, i, out);
    return m != NULL ? 0 : -1;
}

int
jobs_load_some(struct pg *pg, const int64_t *jobs, size_t n, struct job_ready_list *out,
               struct err *err)
{
    struct model *m = statement(pg, err);

    for (size_t i = 0; m != NULL && i < n; i++)
        if (find_job(m, jobs[i]) != NULL && m->jobs[jobs[i]].state == JOB_READY)
            add_ready(m, jobs[i], out);
    return m != NULL ? 0 : -1;
}

int
jobs_take_news(struct pg *pg, struct job_news *out, struct err *err)
{
    struct model *m = statement(pg, err);

    out->many = false;
    if (m == NULL)
        return -1;
    if (m->many && world_random(2) == 0) {
        out->many = true;
    } else if (m->many) {
        out->changed = xgrow(out->changed, &out->capacity, 1, sizeof *out->changed);
        out->changed[out->n_changed++] = (struct job_span){1, m->n_jobs};
        if (jobs_load_ready(pg, &out->ready, err) != 0)
            return -1;
        m->n_news = 0;
        m->many = false;
        return jobs_load_leased(pg, &out->leased, err);
    }
    m->many = false;
    for (int64_t i = 0; i < m->n_news; i++)
        if (m->jobs[m->news[i]].state == JOB_READY)
            add_ready(m, m->news[i], &out->ready);
    m->n_news = 0;
    return 0;
}

int
jobs_load_leased(struct pg *pg, struct job_leased_list *out, struct err *err)
{
    const struct model *m = statement(pg, err);

    for (int64_t i = 1; m != NULL && i <= m->n_jobs; i++) {
        const struct job_row *j = &m->jobs[i];
        if (j->state != JOB_LEASED)
            continue;
        out->items = xgrow(out->items, &out->capacity, out->n + 1, sizeof *out->items);
        struct job_leased *l = &out->items[out->n++];
        *l = (struct job_leased){.id = i, .attempt = j->attempt, .class = j->class};
        snprintf(l->boot, sizeof l->boot, "%s", m->workers[j->worker].boot);
        snprintf(l->name, sizeof l->name, "%s", m->workers[j->worker].name);
    }
    return m != NULL ? 0 : -1;
}

int
jobs_is_current(struct pg *pg, int64_t job, int64_t attempt, bool *is_current,
                struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    *is_current = current(m, job, attempt) != NULL;
    return 0;
}

int
jobs_counts(struct pg *pg, int64_t job, const char *fingerprint, struct job_counts *out,
            struct err *err)
{
    struct model *m = statement(pg, err);

    *out = (struct job_counts){0};
    if (m == NULL)
        return -1;
    const struct job_row *j = find_job(m, job);
    if (j == NULL)
        return 0;
    *out = (struct job_counts){.error = j->n[N_ERROR],
                               .lost = j->n[N_LOST],
                               .oom = j->n[N_OOM],
                               .timeout = j->n[N_TIMEOUT],
                               .rank = j->priority * 1000 - job,
                               .class = j->class,
                               .cancel_requested = j->cancel_open,
                               .hold = j->hold_open,
                               .own_error = -1,
                               .own_lost = -1,
                               .own_oom = -1,
                               .own_timeout = -1};
    int64_t counted = 0;
    for (int i = 0; i < N_COUNTERS; i++)
        counted += j->n[i];
    for (int64_t a = j->attempt - 1; a >= 1 && a >= j->attempt - counted; a--)
        out->same += j->attempts[a].exists && fingerprint[0] != '\0'
                     && strcmp(j->attempts[a].fingerprint, fingerprint) == 0;
    return 0;
}

/* ---- jobs.h: moving ---------------------------------------------------------------- */

static enum job_state
state_called(const char *name)
{
    int s = 0;

    while (strcmp(job_state_name((enum job_state)s), name) != 0)
        s++;
    return (enum job_state)s;
}

int
jobs_finish(struct pg *pg, int64_t job, int64_t attempt, const char *state,
            const char *counter, int64_t wait_ms, bool *done, struct err *err)
{
    static const char *const names[] = {"n_error", "n_lost", "n_oom", "n_timeout",
                                        "n_stopped"};
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    struct job_row *j = current(m, job, attempt);
    *done = j != NULL;
    if (j == NULL)
        return 0;
    j->state = state_called(state);
    for (int i = 0; counter != NULL && i < N_COUNTERS; i++)
        j->n[i] += strcmp(names[i], counter) == 0;
    j->not_before_ms = wait_ms > 0 ? model_clock_ms() + wait_ms : 0;
    return 0;
}

static void
release_children(struct model *m, int64_t job, struct job_ready_list *out)
{
    for (int64_t i = 1; i <= m->n_jobs; i++) {
        struct job_row *c = &m->jobs[i];
        if (c->state != JOB_BLOCKED || (c->parents[0] != job && c->parents[1] != job)
            || !model_parents_done(m, c))
            continue;
        c->state = JOB_READY;
        add_ready(m, i, out);
    }
}

int
jobs_release_children(struct pg *pg, int64_t job, struct job_ready_list *out,
                      struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    release_children(m, job, out);
    return 0;
}

/* Parents have lower numbers than their children. */
int
jobs_fail_dependants(struct pg *pg, int64_t job, int64_t *count, struct err *err)
{
    struct model *m = statement(pg, err);
    bool down[MAX_JOBS + 1] = {false};

    if (m == NULL)
        return -1;
    *count = 0;
    down[job] = true;
    for (int64_t i = job + 1; i <= m->n_jobs; i++) {
        struct job_row *c = &m->jobs[i];
        down[i] = down[c->parents[0]] || down[c->parents[1]];
        if (!down[i]
            || (c->state != JOB_BLOCKED && c->state != JOB_HELD
                && c->state != JOB_READY))
            continue;
        c->state = JOB_UPSTREAM_FAILED;
        c->cause = job;
        ++*count;
    }
    return 0;
}

/* ---- hot.h ------------------------------------------------------------------------- */

int
hot_prepare(struct pg *pg, struct err *err)
{
    return statement(pg, err) != NULL ? 0 : -1;
}

int
hot_replan(struct pg *pg, struct err *err)
{
    return statement(pg, err) != NULL ? 0 : -1;
}

/* Specs are empty here. */
void
forms_release(struct forms *f)
{
    (void)f;
}

static void
take_lease(struct job_row *j, struct hot_lease *l)
{
    j->state = JOB_LEASED;
    j->attempt = l->attempt;
    j->worker = l->worker;
    j->not_before_ms = 0;
    l->done = true;
    l->digest = xstrdup("d");
}

int
hot_lease(struct pg *pg, struct hot_lease *leases, size_t n, struct err *err)
{
    struct model *m = statement(pg, err);

    for (size_t i = 0; m != NULL && i < n; i++) {
        struct job_row *j = find_job(m, leases[i].job);
        if (j != NULL && j->state == JOB_READY && j->attempt == leases[i].attempt - 1)
            take_lease(j, &leases[i]);
    }
    return m != NULL ? 0 : -1;
}

int
hot_describe(struct pg *pg, struct forms *forms, struct hot_lease *leases, size_t n,
             struct err *err)
{
    struct model *m = statement(pg, err);

    (void)forms;
    for (size_t i = 0; m != NULL && i < n; i++) {
        const struct job_row *j = find_job(m, leases[i].job);
        if (!leases[i].done)
            continue;
        leases[i].spec = xstrdup("{}");
        if (j->head_blob == 0)
            continue;
        blob_sha(leases[i].resume.sha, j->head_blob);
        leases[i].resume.size = 1;
        leases[i].resume.step = j->head_step;
    }
    return m != NULL ? 0 : -1;
}

void
hot_lease_forget(struct hot_lease *leases, size_t n)
{
    (void)leases;
    (void)n;
}

static struct attempt_row *
attempt_of(struct job_row *j)
{
    struct attempt_row *a = &j->attempts[j->attempt];

    a->exists = true;
    return a;
}

int
hot_start(struct pg *pg, struct hot_start *starts, size_t n, struct err *err)
{
    struct model *m = statement(pg, err);

    for (size_t i = 0; m != NULL && i < n; i++) {
        struct job_row *j = current(m, starts[i].job, starts[i].attempt);
        starts[i].done = j != NULL;
        if (j != NULL)
            attempt_of(j)->started = true;
    }
    return m != NULL ? 0 : -1;
}

static void
set_final(struct job_row *j, int64_t attempt, const struct metric *finals, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        j->final_attempt = attempt;
        j->final_value = finals[i].value;
    }
}

int
hot_success(struct pg *pg, struct hot_success *ends, size_t n,
            struct job_ready_list *ready, struct err *err)
{
    struct model *m = statement(pg, err);

    for (size_t i = 0; m != NULL && i < n; i++) {
        struct job_row *j = current(m, ends[i].job, ends[i].attempt);
        ends[i].done = j != NULL;
        if (j == NULL)
            continue;
        if (ends[i].bare && (j->attempts[j->attempt].exists || j->head_blob != 0))
            world_violated("(h) %d/%d is not bare", (int)ends[i].job,
                           (int)ends[i].attempt);
        j->state = JOB_SUCCEEDED;
        j->not_before_ms = j->head_blob = j->before_blob = 0;
        j->cancel_open = false;
        snprintf(attempt_of(j)->outcome, sizeof attempt_of(j)->outcome, "ok");
        set_final(j, ends[i].attempt, ends[i].finals, ends[i].n_finals);
    }
    for (size_t i = 0; m != NULL && i < n; i++)
        if (ends[i].done)
            release_children(m, ends[i].job, ready);
    return m != NULL ? 0 : -1;
}

/* ---- attempts.h -------------------------------------------------------------------- */

int
attempts_started(struct pg *pg, int64_t job, int64_t attempt, int64_t pid,
                 const char *provenance, struct err *err)
{
    struct model *m = statement(pg, err);

    (void)pid;
    (void)provenance;
    if (m == NULL)
        return -1;
    struct job_row *j = find_job(m, job);
    if (j != NULL && j->attempt == attempt)
        attempt_of(j)->started = true;
    return 0;
}

int
attempts_end(struct pg *pg, int64_t job, int64_t attempt, const struct attempt_end *end,
             struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    struct job_row *j = find_job(m, job);
    if (j == NULL || j->attempt != attempt)
        return 0;
    struct attempt_row *a = attempt_of(j);
    snprintf(a->outcome, sizeof a->outcome, "%s", end->outcome);
    snprintf(a->fingerprint, sizeof a->fingerprint, "%s",
             end->fingerprint != NULL ? end->fingerprint : "");
    return 0;
}

int
attempts_standing(struct pg *pg, int64_t job, int64_t attempt,
                  enum attempt_standing *out, struct err *err)
{
    struct model *m = statement(pg, err);
    const struct job_row *j = m != NULL ? find_job(m, job) : NULL;

    *out = ATTEMPT_OPEN;
    if (m == NULL)
        return -1;
    if (j == NULL || attempt < 1 || attempt > MAX_ATTEMPTS)
        return 0;
    const char *outcome = j->attempts[attempt].outcome;
    if (outcome[0] != '\0')
        *out = strcmp(outcome, "lost") == 0 || strcmp(outcome, "returned") == 0
                   ? ATTEMPT_GIVEN_UP
                   : ATTEMPT_HAS_RESULT;
    return 0;
}

int
attempts_next_metrics(struct pg *pg, int64_t job, int64_t attempt, int64_t seq,
                      int64_t *last, struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    struct job_row *j = find_job(m, job);
    *last = 0;
    if (j == NULL || j->attempt != attempt)
        return 0;
    struct attempt_row *a = &j->attempts[attempt];
    *last = a->metric_seq;
    if (a->metric_seq != seq - 1)
        return 0;
    a->exists = true;
    a->metric_seq = seq;
    *last = -1;
    return 0;
}

int
attempts_log(struct pg *pg, int64_t job, int64_t attempt, int64_t worker, int64_t start,
             const char *text, struct err *err)
{
    (void)job;
    (void)attempt;
    (void)worker;
    (void)start;
    (void)text;
    return statement(pg, err) != NULL ? 0 : -1;
}

/* Nothing is declared here, so nobody asks. */
int
jobs_spec(struct pg *pg, int64_t job, json_t **out, struct err *err)
{
    (void)job;
    *out = NULL;
    return statement(pg, err) != NULL ? 0 : -1;
}

/* ---- metrics.h --------------------------------------------------------------------- */

/* Points are numbered by the process that measures them (worker.c). */
int
metrics_append(struct pg *pg, int64_t job, int64_t attempt, int64_t seq,
               const struct metric *points, size_t n, struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    struct attempt_row *a = &m->jobs[job].attempts[attempt];
    for (size_t i = 0; i < n; i++, a->points++)
        if ((int64_t)points[i].value != job * 1000000 + attempt * 1000 + a->points + 1)
            world_violated("(f) batch %d of %d/%d brings %.0f as point %d", (int)seq,
                           (int)job, (int)attempt, points[i].value, (int)a->points + 1);
    return 0;
}

int
metrics_finish(struct pg *pg, int64_t job, int64_t attempt, const struct metric *finals,
               size_t n, struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    set_final(&m->jobs[job], attempt, finals, n);
    return 0;
}

/* ---- artifacts.h, blobs.h ---------------------------------------------------------- */

int
blobs_find(struct pg *pg, const char *sha, int64_t *id, struct err *err)
{
    const struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    *id = m->stored[blob_number(sha)] ? blob_number(sha) : 0;
    return 0;
}

int
artifacts_add(struct pg *pg, int64_t job, int64_t attempt, const char *name,
              const char *sha, bool *done, struct err *err)
{
    struct model *m = statement(pg, err);

    (void)name;
    if (m == NULL)
        return -1;
    *done = m->stored[blob_number(sha)];
    if (*done) {
        m->jobs[job].model_attempt = attempt;
        m->jobs[job].model_blob = blob_number(sha);
    }
    return 0;
}

int
artifacts_move_checkpoint(struct pg *pg, int64_t job, int64_t attempt, int64_t step,
                          const char *sha, bool *done, struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    struct job_row *j = &m->jobs[job];
    *done = m->stored[blob_number(sha)];
    if (!*done
        || (j->head_blob != 0
            && (attempt < j->head_attempt
                || (attempt == j->head_attempt && step < j->head_step))))
        return 0;
    if (j->head_blob != blob_number(sha)) {
        j->before_attempt = j->head_attempt;
        j->before_step = j->head_step;
        j->before_blob = j->head_blob;
    }
    j->head_attempt = attempt;
    j->head_step = step;
    j->head_blob = blob_number(sha);
    check_checkpoint(j, job);
    return 0;
}

int
artifacts_fall_back(struct pg *pg, int64_t job, int64_t attempt,
                    struct artifact_fall *out, struct err *err)
{
    struct model *m = statement(pg, err);

    *out = (struct artifact_fall){0};
    if (m == NULL)
        return -1;
    struct job_row *j = &m->jobs[job];
    if (j->head_blob == 0 || j->head_attempt >= attempt)
        return 0;
    *out = (struct artifact_fall){
        .done = true, .from_step = j->head_step, .to_step = j->before_step};
    j->head_attempt = j->before_attempt;
    j->head_step = j->before_step;
    j->head_blob = j->before_blob;
    j->before_attempt = j->before_step = j->before_blob = 0;
    return 0;
}

int
artifacts_drop_checkpoint(struct pg *pg, int64_t job, struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    m->jobs[job].head_blob = m->jobs[job].before_blob = 0;
    return 0;
}

void
artifacts_inputs_release(struct artifact_inputs *in)
{
    *in = (struct artifact_inputs){0}; /* a lease brings none here */
}
