/*
 * batch.c - group commit: whatever arrived while the last commit ran shares the next
 * one. An op that cannot be written must not take the others with it.
 */
#include "coordinator/dispatch/batch.h"

#include <stdlib.h>

#include "coordinator/dispatch/op_bulk.h"
#include "shared/base/crash.h"
#include "shared/base/log.h"

struct op *
batch_add(struct batch *b, enum op_kind kind)
{
    b->ops = xgrow(b->ops, &b->capacity, b->n + 1, sizeof *b->ops);
    b->ops[b->n] = (struct op){.kind = kind, .max_lost = b->max_lost};
    return &b->ops[b->n++];
}

static int
write_range(struct batch *b, size_t first, size_t last, struct pg *pg,
            struct op_leases *leases, struct err *err)
{
    if (pg_begin(pg, err) != 0)
        return -1;
    if (op_apply_all(pg, b->ops + first, last - first, leases, &b->mem, err) != 0)
        return -1;
    crash_point("commit-begun");
    const int rc = pg_commit(pg, err);
    crash_point("commit-done");
    return rc;
}

static int
commit_range(struct batch *b, size_t first, size_t last, struct pg *pg,
             struct forms *forms, struct err *err)
{
    struct op_leases leases = {0};
    int rc = write_range(b, first, last, pg, &leases, err);

    if (rc == 0 && leases.n > 0)
        rc = op_describe(pg, forms, &leases, err);
    op_leases_release(&leases);
    return rc;
}

static void
undo(struct batch *b, size_t first, size_t last, struct pg *pg)
{
    pg_rollback(pg);
    for (size_t i = first; i < last; i++)
        op_reset(&b->ops[i]);
}

/* A result that the database cannot hold would come again for ever: the attempt ends
 * with that as its error. */
static int
commit_unwritable(struct batch *b, size_t i, struct pg *pg, struct forms *forms,
                  struct err *err)
{
    struct op *op = &b->ops[i];
    struct msg *m = arena_alloc(&b->mem, sizeof *m);

    *m =
        (struct msg){.type = MSG_RESULT,
                     .u.result = {.run = op->run,
                                  .outcome = "data",
                                  .text = arena_printf(
                                      &b->mem, "the result was refused: %s", err->text),
                                  .seconds = -1}};
    op->m = m;
    return commit_range(b, i, i + 1, pg, forms, err);
}

static int
commit_one(struct batch *b, size_t i, struct pg *pg, struct forms *forms,
           struct err *err)
{
    if (commit_range(b, i, i + 1, pg, forms, err) == 0)
        return 0;
    const bool unwritable = pg_bad_values(pg) && b->ops[i].kind == OP_RESULT;
    undo(b, i, i + 1, pg);
    if (!pg_alive(pg))
        return -1;
    if (unwritable && commit_unwritable(b, i, pg, forms, err) == 0)
        return 0;
    undo(b, i, i + 1, pg);
    if (!pg_alive(pg))
        return -1;
    b->ops[i].failed = true;
    log_error("dispatch", "job=%lld attempt=%lld action=not-written why=\"%s\"",
              (long long)b->ops[i].run.job, (long long)b->ops[i].run.attempt,
              err->text);
    return 0;
}

int
batch_commit(struct batch *b, struct pg *pg, struct forms *forms, struct err *err)
{
    if (commit_range(b, 0, b->n, pg, forms, err) == 0)
        return 0;
    undo(b, 0, b->n, pg);
    if (!pg_alive(pg))
        return -1;
    log_warn("dispatch", "action=one-by-one why=\"%s\"", err->text);
    for (size_t i = 0; i < b->n; i++)
        if (commit_one(b, i, pg, forms, err) != 0)
            return -1;
    return 0;
}

void
batch_clear(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        op_reset(&b->ops[i]);
        json_decref(b->ops[i].contract);
    }
    b->n = 0;
    arena_release(&b->mem);
}

void
batch_release(struct batch *b)
{
    batch_clear(b);
    free(b->ops);
    *b = (struct batch){0};
}
