/*
 * people.c - submit, cancel, pause, resume and retry, as coordinator/db/jobs_edit.c does them: one
 * transaction each, news and a notification at its end.
 */
#include "tests/sim/model.h"

bool
model_parents_done(const struct model *m, const struct job_row *j)
{
    for (int i = 0; i < MAX_PARENTS; i++)
        if (j->parents[i] != 0 && m->jobs[j->parents[i]].state != JOB_SUCCEEDED)
            return false;
    return true;
}

int64_t
model_rank(const struct model *m, int64_t job)
{
    return m->jobs[job].priority * 1000 - job;
}

static bool
ended_badly(const struct job_row *j)
{
    return j->state == JOB_FAILED || j->state == JOB_QUARANTINED
           || j->state == JOB_CANCELLED || j->state == JOB_UPSTREAM_FAILED;
}

static void
settle_one(struct model *m, int64_t job)
{
    struct job_row *j = &m->jobs[job];

    for (int i = 0; i < MAX_PARENTS; i++) {
        const struct job_row *p = &m->jobs[j->parents[i]];
        if (j->parents[i] == 0 || !ended_badly(p))
            continue;
        j->state = JOB_UPSTREAM_FAILED;
        j->cause = p->cause != 0 ? p->cause : j->parents[i];
        return;
    }
    if (!model_parents_done(m, j) || m->n_news == MAX_NEWS)
        return;
    j->state = JOB_READY;
    m->news[m->n_news++] = job;
}

void
model_settle(struct model *m)
{
    for (int64_t i = 1; i <= m->n_jobs; i++)
        if (m->jobs[i].state == JOB_BLOCKED)
            settle_one(m, i);
}

static void
insert(struct model *m)
{
    const int64_t id = ++m->n_jobs;
    struct job_row *j = &m->jobs[id];

    *j = (struct job_row){.state = JOB_BLOCKED,
                          .priority = world_random(2),
                          .class = world_random(N_CLASSES)};
    for (int i = 0; i < MAX_PARENTS && id > 1; i++)
        if (world_random(3) == 0)
            j->parents[i] = 1 + world_random(id - 1);
}

static void
wake_coordinators(void)
{
    for (int c = 0; c < world.n_coordinators; c++)
        if (coordinator_leads(c))
            world_wake(c, world.now_ms);
}

static void
finish(struct model *m)
{
    model_settle(m);
    model_commit(true);
    model_notes.look = true;
    wake_coordinators();
}

/* Says which of the jobs from `first` on are ready; they are in the news too. */
static void
tell(const struct model *m, int64_t first)
{
    for (int64_t i = first; i <= m->n_jobs && model_notes.n < MAX_NEWS; i++)
        if (m->jobs[i].state == JOB_READY)
            model_notes.jobs[model_notes.n++] =
                (struct model_note){i, model_rank(m, i), m->jobs[i].class};
}

void
people_submit(void)
{
    struct model *m = model_begin();
    const int64_t n = 1 + world_random(3), before = m->n_jobs;

    for (int64_t i = 0; i < n && m->n_jobs < MAX_JOBS; i++)
        insert(m);
    model_settle(m);
    model_commit(true);
    if (world_random(2) == 0)
        tell(m, before + 1);
    else
        model_notes.look = true;
    wake_coordinators();
}

static void
cancel(struct model *m, int64_t job)
{
    struct job_row *j = &m->jobs[job];

    if (j->state == JOB_LEASED) {
        j->cancel_open = true;
        j->cancel_hard = world_random(2) == 0;
    } else if (j->state == JOB_BLOCKED || j->state == JOB_READY
               || j->state == JOB_HELD) {
        j->state = JOB_CANCELLED;
        j->not_before_ms = 0;
    }
}

static void
pause_job(struct model *m, int64_t job)
{
    struct job_row *j = &m->jobs[job];

    if (j->state == JOB_LEASED)
        j->hold_open = world_random(2) == 0;
    else if (j->state == JOB_BLOCKED || j->state == JOB_READY)
        j->state = JOB_HELD;
    m->many = true;
}

static void
resume(struct model *m)
{
    for (int64_t i = 1; i <= m->n_jobs; i++) {
        struct job_row *j = &m->jobs[i];
        j->hold_open = false;
        if (j->state == JOB_HELD)
            j->state = JOB_BLOCKED;
    }
}

/* Everything that ended badly gets fresh budgets. */
static void
retry(struct model *m)
{
    for (int64_t i = 1; i <= m->n_jobs; i++) {
        struct job_row *j = &m->jobs[i];
        if (!ended_badly(j))
            continue;
        j->state = JOB_BLOCKED;
        j->cause = j->not_before_ms = 0;
        for (int k = 0; k < N_COUNTERS; k++)
            j->n[k] = 0;
    }
}

void
people_act(void)
{
    const int64_t what = world_random(6);

    if (what == 0) {
        TRACE("people submit");
        people_submit();
        return;
    }
    struct model *m = model_begin();
    if (what == 1) {
        const int64_t job = 1 + world_random(m->n_jobs);
        TRACE("people cancel %d", (int)job);
        cancel(m, job);
    } else if (what == 2) {
        const int64_t job = 1 + world_random(m->n_jobs);
        TRACE("people pause %d", (int)job);
        pause_job(m, job);
    } else if (what == 3) {
        TRACE("people resume everything");
        resume(m);
    } else {
        TRACE("people retry what failed");
        retry(m);
    }
    finish(m);
}

void
people_resume(void)
{
    struct model *m = model_begin();

    resume(m);
    finish(m);
}
