/*
 * db.c - opening, and the writes of people's commands as whole transactions over the
 * table files. Knows the order of the steps, no table.
 */
#include "coordinator/db/db.h"

#include <stdlib.h>

#include "coordinator/db/events.h"
#include "coordinator/db/handle.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/locks.h"
#include "coordinator/db/migrate.h"
#include "coordinator/db/notes.h"
#include "coordinator/db/policy.h"
#include "coordinator/db/requests.h"
#include "coordinator/db/rules.h"
#include "coordinator/db/sweeps.h"
#include "coordinator/db/verified.h"
#include "shared/base/mem.h"

int
db_open(struct db **out, const char *conninfo, struct err *err)
{
    struct db *db = xcalloc(1, sizeof *db);
    int64_t version;

    *out = NULL;
    if (pg_open(&db->pg, conninfo, "relusweep", err) != 0
        || migrate_version(db->pg, DB_SCHEMA_VERSION, &version, err) != 0) {
        db_close(db);
        return -1;
    }
    *out = db;
    return 0;
}

void
db_close(struct db *db)
{
    if (db == NULL)
        return;
    pg_close(db->pg);
    free(db);
}

int
db_check_schema(struct db *db, struct err *err)
{
    return migrate_check(db->pg, DB_SCHEMA_VERSION, err);
}

int
db_migrate(struct db *db, struct err *err)
{
    return migrate_apply(db->pg, err);
}

int
db_wake(struct db *db, struct err *err)
{
    return pg_script(db->pg, "NOTIFY relusweep", err);
}

int
db_begin_edit(struct db *db, struct err *err)
{
    if (pg_begin(db->pg, err) != 0)
        return -1;
    return pg_query(db->pg, NULL, "SELECT pg_advisory_xact_lock($1::int, $2::int)",
                    PG_ARGS(PG_INT(LOCK_SPACE), PG_INT(LOCK_EDIT)), err);
}

typedef int step_fn(struct db *db, void *arg, struct err *err);

/* Runs the steps, and the one that tells the coordinator, again when it and this command
 * got into each other's way. */
static int
edit_telling(struct db *db, step_fn *steps, step_fn *tell, void *arg, struct err *err)
{
    for (int tries = 0;; tries++) {
        if (db_begin_edit(db, err) == 0 && steps(db, arg, err) == 0
            && tell(db, arg, err) == 0 && pg_commit(db->pg, err) == 0)
            return 0;
        const bool again = pg_may_repeat(db->pg) && tries < 3;
        pg_rollback(db->pg);
        if (!again)
            return -1;
    }
}

static int
tell_to_look(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return db_wake(db, err);
}

static int
edit(struct db *db, step_fn *steps, void *arg, struct err *err)
{
    return edit_telling(db, steps, tell_to_look, arg, err);
}

struct submission {
    const struct sweep *s;
    struct dag *d;
    struct db_submitted *out;
    int64_t first_job;
};

/* A paused sweep stays so with its new jobs; another one wants what was held. */
static int
settle_submitted(struct db *db, const struct db_submitted *sub, struct err *err)
{
    const struct db_selection all = {.sweep = sub->sweep};
    bool paused;
    int64_t count;

    if (sweeps_is_paused(db->pg, sub->sweep, &paused, err) != 0)
        return -1;
    if (paused)
        return jobs_select(db->pg, &all, err) == 0
                   ? jobs_hold(db->pg, sub->sweep, &count, err)
                   : -1;
    if (sub->new_jobs < sub->jobs && jobs_unhold_sweep(db->pg, sub->sweep, err) != 0)
        return -1;
    return jobs_settle(db->pg, err);
}

static int
submit_steps(struct db *db, void *arg, struct err *err)
{
    struct submission *sub = arg;
    int64_t *ids = xcalloc(sub->d->n_jobs + 1, sizeof *ids);
    int rc = -1;

    *sub->out = (struct db_submitted){.cells = (int64_t)sub->s->n_cells,
                                      .jobs = (int64_t)sub->d->n_jobs};
    if (jobs_insert(db->pg, sub->d, ids, sub->out, err) == 0
        && sweeps_save(db->pg, sub->s, sub->d, ids, &sub->out->sweep, err) == 0
        && policy_apply(db->pg, sub->out->sweep, sub->s->policy, err) == 0
        && verified_place(db->pg, sub->d, ids, err) == 0
        && settle_submitted(db, sub->out, err) == 0)
        rc = events_add(db->pg, 0, 0, "submitted", sub->s->name, err);
    sub->first_job = ids[0];
    free(ids);
    return rc;
}

/* Numbers of new jobs are in a row. Where none was there before, and no limit was said,
 * they are all that has changed. */
static int
tell_submitted(struct db *db, void *arg, struct err *err)
{
    const struct submission *sub = arg;

    if (sub->out->new_jobs < sub->out->jobs || sub->out->jobs == 0
        || json_object_get(sub->s->policy, "limits") != NULL)
        return db_wake(db, err);
    return notes_tell_new(db->pg, sub->first_job, sub->first_job + sub->out->jobs - 1,
                          err);
}

int
db_submit(struct db *db, const struct sweep *s, struct dag *d, struct db_submitted *out,
          struct err *err)
{
    struct submission sub = {.s = s, .d = d, .out = out};

    if (edit_telling(db, submit_steps, tell_submitted, &sub, err) != 0)
        return err_wrap(err, "submit %s", s->name);
    return 0;
}

struct command {
    const struct db_selection *sel;
    bool hard;    /* cancel */
    bool running; /* pause */
    int64_t priority;
    int64_t *count;
};

static bool
is_whole_sweep(const struct db_selection *sel)
{
    return sel->job == NULL && sel->jobs == NULL
           && (sel->state == NULL || sel->state[0] == '\0');
}

static int
retry_steps(struct db *db, void *arg, struct err *err)
{
    const struct command *c = arg;

    if (jobs_select(db->pg, c->sel, err) != 0
        || jobs_reset(db->pg, c->sel->job != NULL || c->sel->jobs != NULL, err) != 0
        || (is_whole_sweep(c->sel)
            && sweeps_mark_cancelled(db->pg, c->sel->sweep, false, err) != 0)
        || jobs_settle(db->pg, err) != 0
        || events_add_selection(db->pg, "reset", "by a person", err) != 0)
        return -1;
    return pg_number(db->pg, c->count, NULL,
                     "SELECT count(*) FROM selection s JOIN job j ON j.id = s.id"
                     " WHERE j.state <> 'upstream_failed'",
                     PG_NONE, err);
}

int
db_retry(struct db *db, const struct db_selection *sel, int64_t *count, struct err *err)
{
    struct command c = {.sel = sel, .count = count};

    return edit(db, retry_steps, &c, err);
}

static int
redo_steps(struct db *db, void *arg, struct err *err)
{
    const struct command *c = arg;

    if (jobs_select(db->pg, c->sel, err) != 0 || jobs_redo(db->pg, err) != 0
        || events_add_selection(db->pg, "undone", "by a person", err) != 0
        || jobs_settle(db->pg, err) != 0)
        return -1;
    return pg_number(db->pg, c->count, NULL, "SELECT count(*) FROM selection", PG_NONE,
                     err);
}

int
db_redo(struct db *db, const struct db_selection *sel, int64_t *count, struct err *err)
{
    struct command c = {.sel = sel, .count = count};

    return edit(db, redo_steps, &c, err);
}

static int
cancel_steps(struct db *db, void *arg, struct err *err)
{
    const struct command *c = arg;
    int64_t waiting, running;

    if (jobs_select(db->pg, c->sel, err) != 0
        || events_add_selection(db->pg, "cancelled", "asked by a person", err) != 0
        || jobs_cancel(db->pg, c->sel->sweep, &waiting, err) != 0
        || requests_stop(db->pg, "cancel", c->hard, &running, err) != 0
        || (is_whole_sweep(c->sel)
            && sweeps_mark_cancelled(db->pg, c->sel->sweep, true, err) != 0))
        return -1;
    *c->count = waiting + running;
    return 0;
}

int
db_cancel(struct db *db, const struct db_selection *sel, bool hard, int64_t *count,
          struct err *err)
{
    struct command c = {.sel = sel, .hard = hard, .count = count};

    return edit(db, cancel_steps, &c, err);
}

static int
pause_steps(struct db *db, void *arg, struct err *err)
{
    const struct command *c = arg;
    int64_t running = 0;

    if (jobs_select(db->pg, c->sel, err) != 0
        || events_add_selection(db->pg, "paused", "by a person", err) != 0
        || (is_whole_sweep(c->sel)
            && sweeps_mark_paused(db->pg, c->sel->sweep, "by a person", err) != 0)
        || jobs_hold(db->pg, c->sel->sweep, c->count, err) != 0
        || (c->running && requests_stop(db->pg, "hold", false, &running, err) != 0))
        return -1;
    *c->count += running;
    return 0;
}

int
db_pause(struct db *db, const struct db_selection *sel, bool running, int64_t *count,
         struct err *err)
{
    struct command c = {.sel = sel, .running = running, .count = count};

    return edit(db, pause_steps, &c, err);
}

static int
resume_steps(struct db *db, void *arg, struct err *err)
{
    const struct command *c = arg;

    if (jobs_select(db->pg, c->sel, err) != 0
        || (is_whole_sweep(c->sel)
            && sweeps_mark_paused(db->pg, c->sel->sweep, NULL, err) != 0)
        || requests_unhold(db->pg, err) != 0 || jobs_unhold(db->pg, c->count, err) != 0
        || events_add_selection(db->pg, "resumed", "by a person", err) != 0)
        return -1;
    return jobs_settle(db->pg, err);
}

int
db_resume(struct db *db, const struct db_selection *sel, int64_t *count,
          struct err *err)
{
    struct command c = {.sel = sel, .count = count};

    return edit(db, resume_steps, &c, err);
}

static int
priority_steps(struct db *db, void *arg, struct err *err)
{
    const struct command *c = arg;

    return jobs_select(db->pg, c->sel, err) == 0
               ? jobs_set_priority(db->pg, c->priority, c->count, err)
               : -1;
}

int
db_priority(struct db *db, const struct db_selection *sel, int64_t priority,
            int64_t *count, struct err *err)
{
    struct command c = {.sel = sel, .priority = priority, .count = count};

    return edit(db, priority_steps, &c, err);
}

static int
limit_steps(struct db *db, void *arg, struct err *err)
{
    const struct db_limit *limit = arg;

    return rules_set_limit(db->pg, limit, err) == 0
               ? rules_classify(db->pg, 0, NULL, err)
               : -1;
}

int
db_limit(struct db *db, const struct db_limit *limit, struct err *err)
{
    struct db_limit copy = *limit;

    return edit(db, limit_steps, &copy, err);
}
