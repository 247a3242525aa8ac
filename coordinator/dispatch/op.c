/*
 * op.c - what each op does in the database. The fence is here: every write for an
 * attempt first asks jobs.c if it is the current one, in the same transaction. What
 * follows the end of an attempt is in op_end.c.
 */
#include "coordinator/dispatch/op.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/db/attempts.h"
#include "coordinator/db/catalogs.h"
#include "coordinator/db/metrics.h"
#include "coordinator/db/workers.h"
#include "coordinator/dispatch/contract.h"
#include "coordinator/dispatch/op_end.h"
#include "coordinator/dispatch/result.h"

static int
apply_hello(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct msg_hello *h = &op->m->u.hello;
    const struct worker_row row = {.boot = h->boot,
                                   .name = h->name,
                                   .host = h->host,
                                   .version = h->version,
                                   .slots = h->slots,
                                   .threads = h->threads,
                                   .memory_bytes = h->memory_bytes,
                                   .labels = h->labels,
                                   .backend = h->backend};

    (void)mem;
    if (op->catalog != NULL && catalogs_save(pg, op->catalog, err) != 0)
        return -1;
    return workers_connected(pg, &row, &op->number, err);
}

static int
apply_gone(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    (void)mem;
    return workers_gone(pg, op->boot, err);
}

/* Asks the fence; fills the disposition of a run that is not current, or that is the
 * business of another worker. */
static int
check_current(struct pg *pg, struct op *op, bool *current, struct err *err)
{
    *current = false;
    if (!op->foreign
        && jobs_is_current(pg, op->run.job, op->run.attempt, current, err) != 0)
        return -1;
    op->disposition = *current ? "committed" : "fenced";
    op->detail = *current ? "" : "this attempt is not the current one of your session";
    return 0;
}

static int
apply_started(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct msg_started *m = &op->m->u.started;
    bool current;

    (void)mem;
    if (check_current(pg, op, &current, err) != 0)
        return -1;
    return current ? attempts_started(pg, op->run.job, op->run.attempt, m->pid,
                                      m->provenance, err)
                   : 0;
}

struct metric *
op_metrics(const struct msg_point *points, size_t n, struct arena *mem)
{
    struct metric *out = arena_alloc(mem, (n + 1) * sizeof *out);

    for (size_t i = 0; i < n; i++)
        out[i] = (struct metric){.name = points[i].name,
                                 .value = points[i].value,
                                 .step = points[i].step,
                                 .unit = points[i].unit,
                                 .goal = metric_goal_find(points[i].goal)};
    return out;
}

static int
apply_metrics(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct msg_metrics *m = &op->m->u.metrics;
    bool current;
    int64_t last;

    if (check_current(pg, op, &current, err) != 0)
        return -1;
    if (!current)
        return 0;
    if (attempts_next_metrics(pg, op->run.job, op->run.attempt, m->seq, &last, err)
        != 0)
        return -1;
    if (last >= 0) { /* a repeat; or one before it is missing: that comes again first */
        op->disposition = m->seq <= last ? "duplicate" : NULL;
        return 0;
    }
    return metrics_append(pg, op->run.job, op->run.attempt, m->seq,
                          op_metrics(m->points, m->n_points, mem), m->n_points, err);
}

static int
apply_log(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct msg_log *m = &op->m->u.log;

    (void)mem;
    return attempts_log(pg, op->run.job, op->run.attempt, op->foreign ? op->worker : 0,
                        m->offset, m->text, err);
}

static int
apply_checkpoint(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct msg_checkpoint *m = &op->m->u.checkpoint;
    bool current, stored;

    if (check_current(pg, op, &current, err) != 0)
        return -1;
    if (!current)
        return 0;
    if (artifacts_move_checkpoint(pg, op->run.job, op->run.attempt, m->step, m->sha,
                                  &stored, err)
        != 0)
        return -1;
    if (!stored) {
        op->disposition = "missing";
        op->detail = arena_strdup(mem, m->sha);
    }
    return 0;
}

/* What the result lacks of what its job's stage declares; *fault: as contract_fault. */
static int
check_contract(struct pg *pg, const struct op *op, const struct msg **fault,
               struct arena *mem, struct err *err)
{
    json_t *spec = NULL;

    *fault = NULL;
    if (op->contract == NULL)
        return 0;
    if (jobs_spec(pg, op->run.job, &spec, err) != 0)
        return -1;
    *fault = contract_fault(op->contract, spec, &op->m->u.result, mem);
    json_decref(spec);
    return 0;
}

/* A result that says "ok" and is not sound is a failure of the attempt. */
static int
apply_success(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct msg_result *m = &op->m->u.result;
    const struct msg *fault = result_fault(m, mem);

    if (fault == NULL && check_contract(pg, op, &fault, mem, err) != 0)
        return -1;
    if (fault != NULL) {
        op->m = fault;
        return op_end_failure(pg, op, mem, err);
    }
    const struct op_success s = {.finals = op_metrics(m->finals, m->n_finals, mem),
                                 .n_finals = m->n_finals};
    return op_end_success(pg, op, &s, err);
}

static int
apply_result(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    const struct msg_result *m = &op->m->u.result;
    enum attempt_standing standing;
    bool current;

    if (check_current(pg, op, &current, err) != 0)
        return -1;
    if (current)
        return strcmp(m->outcome, "ok") == 0 ? apply_success(pg, op, mem, err)
                                             : op_end_failure(pg, op, mem, err);
    if (attempts_standing(pg, op->run.job, op->run.attempt, &standing, err) != 0)
        return -1;
    if (standing == ATTEMPT_HAS_RESULT) {
        op->disposition = "duplicate";
        op->detail = "";
        return 0;
    }
    return op_end_refused(pg, op, standing == ATTEMPT_GIVEN_UP, err);
}

int
op_apply(struct pg *pg, struct op *op, struct arena *mem, struct err *err)
{
    static int (*const apply[])(struct pg *, struct op *, struct arena *,
                                struct err *) = {
        [OP_HELLO] = apply_hello,     [OP_GONE] = apply_gone,
        [OP_LOST] = op_end_lost,      [OP_RETURN] = op_end_returned,
        [OP_STARTED] = apply_started, [OP_METRICS] = apply_metrics,
        [OP_LOG] = apply_log,         [OP_CHECKPOINT] = apply_checkpoint,
        [OP_RESULT] = apply_result,
    };

    return apply[op->kind](pg, op, mem, err);
}

void
op_reset(struct op *op)
{
    free(op->ready.items);
    free(op->digest);
    free(op->spec);
    artifacts_inputs_release(&op->inputs);
    op->ready = (struct job_ready_list){0};
    op->digest = op->spec = NULL;
    op->disposition = op->detail = NULL;
    op->bare = false; /* if it went wrong, then not because of that again */
    op->done = op->failed = op->handled = op->rules_changed = false;
}
