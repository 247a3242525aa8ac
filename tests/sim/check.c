/*
 * check.c - what must always be true. The letters name it in messages:
 * (a) one success, (b) no acknowledgement without its row, (c) attempts grow, (d) no
 * grant before its commit, (e) everything ends, (f) metrics of the winner are whole and
 * its own, and those before a checkpoint are there with it, (g) no worker has more leases
 * than slots, (h) memory is what the database says, (i) limits, needs
 * and pauses are kept.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/sim/model.h"

/* ---- commits ----------------------------------------------------------------------- */

static bool
is_a_move(enum job_state from, enum job_state to)
{
    for (int e = 0; e < JOB_EVENT_COUNT; e++)
        if (job_state_next(from, (enum job_event)e) == (int)to)
            return true;
    return false;
}

static void
check_success(const struct job_row *j, int64_t job)
{
    const struct attempt_row *a = &j->attempts[j->attempt];
    const struct truth *t = &world.truth[job][j->attempt];

    if (!t->ended_ok)
        world_violated("(a) %d/%d succeeded, but no process did", (int)job,
                       (int)j->attempt);
    if (j->final_attempt != j->attempt || (int64_t)j->final_value != (int64_t)t->value)
        world_violated("(f) job %d: finals of attempt %d, success of %d", (int)job,
                       (int)j->final_attempt, (int)j->attempt);
    if (a->points != t->points)
        world_violated("(f) %d/%d: %d points of %d", (int)job, (int)j->attempt,
                       (int)a->points, (int)t->points);
    if (strcmp(a->outcome, "ok") != 0)
        world_violated("(a) %d/%d succeeded with outcome `%s`", (int)job,
                       (int)j->attempt, a->outcome);
}

static void
check_lease(const struct model *after, const struct job_row *before, int64_t job)
{
    const struct job_row *j = &after->jobs[job];
    struct truth *t = &world.truth[job][j->attempt];

    if (j->attempt != before->attempt + 1 || t->leased || j->state != JOB_LEASED)
        world_violated("(c) attempt %d of job %d follows %d", (int)j->attempt, (int)job,
                       (int)before->attempt);
    if (j->class == PICKY_CLASS && strcmp(after->workers[j->worker].name, "w0") != 0)
        world_violated("(i) job %d is leased to %s, which has not what it needs",
                       (int)job, after->workers[j->worker].name);
    t->leased = true;
    memcpy(t->boot, after->workers[j->worker].boot, sizeof t->boot);
    TRACE("committed: lease of %d/%d for %s", (int)job, (int)j->attempt, t->boot);
}

static void
check_job(const struct model *before, const struct model *after, int64_t job,
          bool by_people)
{
    static const struct job_row none;
    const struct job_row *a = &after->jobs[job];
    const struct job_row *b = job <= before->n_jobs ? &before->jobs[job] : &none;
    const bool leased = a->attempt != b->attempt;

    if (leased)
        check_lease(after, b, job);
    else if (a->state == JOB_LEASED && b->state != JOB_LEASED)
        world_violated("(c) job %d is leased again as attempt %d", (int)job,
                       (int)a->attempt);
    if (a->state == b->state)
        return;
    TRACE("committed: job %d %s", (int)job, job_state_name(a->state));
    if (b->state == JOB_SUCCEEDED)
        world_violated("(a) job %d succeeded and is now %s", (int)job,
                       job_state_name(a->state));
    if (!by_people && !is_a_move(b->state, a->state))
        world_violated("job %d went from %s to %s", (int)job, job_state_name(b->state),
                       job_state_name(a->state));
    if (a->state == JOB_SUCCEEDED)
        check_success(a, job);
    if (b->state == JOB_LEASED && a->state == JOB_READY && b->hold_open)
        world_violated("(i) job %d was paused and goes on", (int)job);
    if ((a->state == JOB_READY || a->state == JOB_LEASED)
        && !model_parents_done(after, a))
        world_violated("job %d is %s before its parents are done", (int)job,
                       job_state_name(a->state));
}

static void
check_limit(const struct model *m)
{
    int64_t running = 0;

    for (int64_t i = 1; i <= m->n_jobs; i++)
        running += m->jobs[i].state == JOB_LEASED && m->jobs[i].class == LIMITED_CLASS;
    if (world.limit > 0 && running > world.limit)
        world_violated("(i) %d jobs of a class run at once, %d may", (int)running,
                       (int)world.limit);
}

void
check_commit(const struct model *before, const struct model *after, bool by_people)
{
    for (int64_t i = 1; i <= after->n_jobs; i++) {
        if (after->jobs[i].attempt > MAX_ATTEMPTS - 1) {
            world_violated("job %d needs more than %d attempts", (int)i,
                           MAX_ATTEMPTS - 1);
            return;
        }
        check_job(before, after, i, by_people);
    }
    check_limit(after);
    for (int64_t i = 1; i <= after->n_jobs; i++)
        if (after->jobs[i].state == JOB_BLOCKED
            && model_parents_done(after, &after->jobs[i]))
            world_violated("(e) job %d is blocked although its parents are done",
                           (int)i);
}

/* ---- what is said ------------------------------------------------------------------- */

void
check_checkpoint(const struct job_row *j, int64_t job)
{
    const struct attempt_row *a = &j->attempts[j->head_attempt];

    if (a->points < world.measured[j->head_blob])
        world_violated("(f) checkpoint of %d/%d is committed before %d points",
                       (int)job, (int)j->head_attempt,
                       (int)(world.measured[j->head_blob] - a->points));
}

static bool
is_current_of(const char *boot, struct msg_run run)
{
    const struct job_row *j = &model->jobs[run.job];

    return j->state == JOB_LEASED && j->attempt == run.attempt
           && strcmp(model->workers[j->worker].boot, boot) == 0;
}

static void
check_grant(const char *boot, struct msg_run run)
{
    const struct truth *t = &world.truth[run.job][run.attempt];

    if (!t->leased)
        world_violated("(d) grant of %d/%d before its lease", (int)run.job,
                       (int)run.attempt);
    else if (strcmp(t->boot, boot) != 0)
        world_violated("(d) grant of %d/%d to %s, lease of %s", (int)run.job,
                       (int)run.attempt, boot, t->boot);
}

/* A positive acknowledgement: is it so? */
static void
check_ack(const struct msg_ack *k)
{
    const struct job_row *j = &model->jobs[k->run.job];
    const struct attempt_row *a = &j->attempts[k->run.attempt];
    bool so = true;

    if (strcmp(k->disposition, "committed") != 0
        && strcmp(k->disposition, "duplicate") != 0)
        return;
    if (strcmp(k->what, "result") == 0)
        so = a->outcome[0] != '\0' && strcmp(a->outcome, "lost") != 0
             && strcmp(a->outcome, "returned") != 0;
    else if (strcmp(k->what, "metrics") == 0)
        so = a->metric_seq >= k->seq;
    else if (strcmp(k->what, "started") == 0)
        so = a->started;
    else if (j->state == JOB_LEASED && j->attempt == k->run.attempt)
        so = j->head_attempt == k->run.attempt && j->head_step >= k->seq;
    if (!so)
        world_violated("(b) %s of %d/%d acknowledged as %s, and is not there", k->what,
                       (int)k->run.job, (int)k->run.attempt, k->disposition);
}

/* An old HELLO of a process that is gone may be answered in any way. */
static void
check_welcome(const char *boot, const struct msg_welcome *w)
{
    if (!worker_lives(boot))
        return;
    for (size_t i = 0; i < w->n_kill; i++)
        if (is_current_of(boot, w->kill[i]))
            world_violated("WELCOME kills %d/%d, which is current", (int)w->kill[i].job,
                           (int)w->kill[i].attempt);
}

void
check_said(const char *boot, const struct msg *m)
{
    if (m->type == MSG_GRANT)
        check_grant(boot, m->u.grant.run);
    else if (m->type == MSG_ACK)
        check_ack(&m->u.ack);
    else if (m->type == MSG_WELCOME)
        check_welcome(boot, &m->u.welcome);
}

/* ---- memory and the end --------------------------------------------------------------- */

void
check_memory(int c)
{
    int64_t leased = 0;

    if (coordinator_over_slots(c))
        world_violated("(g) a worker has more leases than slots");
    if (!coordinator_is_idle(c))
        return;
    for (int64_t i = 1; i <= model->n_jobs; i++)
        leased += model->jobs[i].state == JOB_LEASED;
    if (leased != coordinator_leases(c))
        world_violated("(h) %d leases in memory, %d in the database",
                       (int)coordinator_leases(c), (int)leased);
}

static bool
is_final(enum job_state s)
{
    return s != JOB_BLOCKED && s != JOB_READY && s != JOB_LEASED;
}

bool
check_settled(void)
{
    for (int64_t i = 1; i <= model->n_jobs; i++)
        if (!is_final(model->jobs[i].state))
            return false;
    for (int w = 0; w < world.n_workers; w++)
        if (!world.nodes[N_COORDINATORS + w].up || !worker_is_idle(w))
            return false;
    for (int c = 0; c < world.n_coordinators; c++)
        if (coordinator_is_idle(c))
            return true;
    return false;
}

void
check_end(void)
{
    if (world.violation[0] != '\0' || check_settled())
        return;
    for (int64_t i = 1; i <= model->n_jobs; i++)
        if (!is_final(model->jobs[i].state))
            world_violated("(e) job %d is %s for ever, attempt %d", (int)i,
                           job_state_name(model->jobs[i].state),
                           (int)model->jobs[i].attempt);
    world_violated("(e) a worker keeps what nobody wants, or nobody leads");
}
