/*
 * op_bulk.c - one statement for many ops. The order within a batch: STARTED first, then
 * what has to be done one by one in the order of arrival, then successes, then leases. No
 * op of a batch waits for another one of a later kind: a result follows the start and the
 * metrics of its run, and a lease is of a job that nothing else in the batch is about.
 * Leases are last so that their commit travels with them.
 * Invariant: an op that the fence has stopped here is looked at again by op_apply, which
 * finds out what to answer.
 */
#include "coordinator/dispatch/op_bulk.h"

#include <string.h>

#include "coordinator/dispatch/result.h"
#include "shared/base/log.h"

/* Which of a batch's ops go together. */
struct group {
    struct op **ops;
    size_t n;
};

typedef bool in_group_fn(const struct op *op, struct arena *mem);

static bool
is_start(const struct op *op, struct arena *mem)
{
    (void)mem;
    return op->kind == OP_STARTED && !op->foreign;
}

static bool
is_lease(const struct op *op, struct arena *mem)
{
    (void)mem;
    return op->kind == OP_LEASE;
}

static bool
is_plain_success(const struct op *op, struct arena *mem)
{
    if (op->kind != OP_RESULT || op->foreign || op->contract != NULL)
        return false;
    const struct msg_result *m = &op->m->u.result;
    return strcmp(m->outcome, "ok") == 0 && m->n_artifacts == 0
           && result_fault(m, mem) == NULL;
}

static struct group
gather(struct op *ops, size_t n, in_group_fn *is_in, struct arena *mem)
{
    struct group g = {.ops = arena_alloc(mem, (n + 1) * sizeof(struct op *))};

    for (size_t i = 0; i < n; i++)
        if (!ops[i].handled && is_in(&ops[i], mem))
            g.ops[g.n++] = &ops[i];
    return g;
}

/* The fence let it through. */
static void
settle(struct op *op, const char *disposition)
{
    op->handled = true;
    op->disposition = disposition;
    op->detail = "";
}

static int
start_all(struct pg *pg, const struct group *g, struct arena *mem, struct err *err)
{
    struct hot_start *starts = arena_alloc(mem, g->n * sizeof *starts);

    for (size_t i = 0; i < g->n; i++)
        starts[i] =
            (struct hot_start){.job = g->ops[i]->run.job,
                               .attempt = g->ops[i]->run.attempt,
                               .pid = g->ops[i]->m->u.started.pid,
                               .provenance = g->ops[i]->m->u.started.provenance};
    if (hot_start(pg, starts, g->n, err) != 0)
        return -1;
    for (size_t i = 0; i < g->n; i++)
        if (starts[i].done)
            settle(g->ops[i], "committed");
    return 0;
}

static struct hot_success
success_of(const struct op *op, struct arena *mem)
{
    const struct msg_result *m = &op->m->u.result;

    return (struct hot_success){.job = op->run.job,
                                .attempt = op->run.attempt,
                                .exit_code = m->exit_code,
                                .peak_rss_bytes = m->peak_rss_bytes,
                                .seconds = m->seconds,
                                .finals = op_metrics(m->finals, m->n_finals, mem),
                                .n_finals = m->n_finals,
                                .bare = op->bare};
}

static int
succeed_all(struct pg *pg, const struct group *g, struct arena *mem, struct err *err)
{
    struct hot_success *ends = arena_alloc(mem, g->n * sizeof *ends);

    for (size_t i = 0; i < g->n; i++)
        ends[i] = success_of(g->ops[i], mem);
    if (hot_success(pg, ends, g->n, &g->ops[0]->ready, err) != 0)
        return -1;
    for (size_t i = 0; i < g->n; i++) {
        if (ends[i].done) {
            settle(g->ops[i], "committed");
            g->ops[i]->done = true;
        } else if (op_apply(pg, g->ops[i], mem, err) != 0) {
            return -1;
        }
        g->ops[i]->handled = true;
    }
    return 0;
}

/* Nothing comes behind it, so COMMIT goes along. */
static int
lease_all(struct pg *pg, const struct group *g, struct op_leases *out,
          struct arena *mem, struct err *err)
{
    *out = (struct op_leases){
        .ops = g->ops, .items = arena_alloc(mem, g->n * sizeof *out->items), .n = g->n};
    for (size_t i = 0; i < g->n; i++)
        out->items[i] = (struct hot_lease){.job = g->ops[i]->run.job,
                                           .attempt = g->ops[i]->run.attempt,
                                           .worker = g->ops[i]->worker};
    pg_commit_along(pg);
    const int rc = hot_lease(pg, out->items, g->n, err);
    for (size_t i = 0; i < g->n; i++) { /* op_reset frees, whatever happened */
        g->ops[i]->handled = true;
        g->ops[i]->done = out->items[i].done;
        g->ops[i]->digest = out->items[i].digest;
    }
    return rc;
}

int
op_describe(struct pg *pg, struct forms *forms, struct op_leases *leases,
            struct err *err)
{
    const int rc = hot_describe(pg, forms, leases->items, leases->n, err);

    for (size_t i = 0; i < leases->n; i++) {
        leases->ops[i]->spec = leases->items[i].spec;
        leases->ops[i]->inputs = leases->items[i].inputs;
        leases->ops[i]->resume = leases->items[i].resume;
    }
    if (rc == 0)
        return 0;
    log_error("dispatch", "action=not-described why=\"%s\"", err->text);
    return pg_alive(pg) ? 0 : -1;
}

void
op_leases_release(struct op_leases *leases)
{
    hot_lease_forget(leases->items, leases->n);
    *leases = (struct op_leases){0};
}

static int
apply_rest(struct pg *pg, struct op *ops, size_t n, struct arena *mem, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (ops[i].handled || is_lease(&ops[i], mem) || is_plain_success(&ops[i], mem))
            continue;
        if (op_apply(pg, &ops[i], mem, err) != 0)
            return -1;
        ops[i].handled = true;
    }
    return 0;
}

int
op_apply_all(struct pg *pg, struct op *ops, size_t n, struct op_leases *leases,
             struct arena *mem, struct err *err)
{
    const struct group starts = gather(ops, n, is_start, mem);

    if ((starts.n > 0 && start_all(pg, &starts, mem, err) != 0)
        || apply_rest(pg, ops, n, mem, err) != 0)
        return -1;
    const struct group successes = gather(ops, n, is_plain_success, mem);
    if (successes.n > 0 && succeed_all(pg, &successes, mem, err) != 0)
        return -1;
    const struct group granted = gather(ops, n, is_lease, mem);
    return granted.n > 0 ? lease_all(pg, &granted, leases, mem, err) : 0;
}
