/*
 * surroundings.c - statements.c for what lies around jobs: rules, policies, workers,
 * requests, events, the schema's version.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/catalogs.h"
#include "coordinator/db/events.h"
#include "coordinator/db/migrate.h"
#include "coordinator/db/policy.h"
#include "coordinator/db/requests.h"
#include "coordinator/db/rules.h"
#include "coordinator/db/twins.h"
#include "coordinator/db/workers.h"
#include "shared/base/mem.h"
#include "tests/sim/statements.h"

/* ---- rules.h ------------------------------------------------------------------------ */

int
rules_load(struct pg *pg, struct rules *out, struct err *err)
{
    *out = (struct rules){0};
    if (statement(pg, err) == NULL)
        return -1;
    out->classes = xcalloc(N_CLASSES, sizeof *out->classes);
    out->n_classes = N_CLASSES;
    for (int64_t i = 0; i < N_CLASSES; i++)
        out->classes[i].id = i;
    snprintf(out->classes[PICKY_CLASS].labels, RULES_MAX_TEXT, "picked");
    out->classes[LIMITED_CLASS].limits[0] = 1;
    out->classes[LIMITED_CLASS].n_limits = world.limit > 0;
    out->limits = xcalloc(1, sizeof *out->limits);
    out->limits[0] = (struct rules_limit){.id = 1, .most = world.limit};
    out->n_limits = world.limit > 0;
    return 0;
}

void
rules_release(struct rules *r)
{
    free(r->classes);
    free(r->limits);
    *r = (struct rules){0};
}

/* ---- twins.h: every second job does the one before it again -------------------------- */

static struct twin_side
side(const struct model *m, int64_t job)
{
    return (struct twin_side){.job = job, .worker = m->jobs[job].worker, .host = "h"};
}

int
twins_load(struct pg *pg, int64_t after, struct twin_list *out, struct err *err)
{
    const struct model *m = statement(pg, err);

    for (int64_t i = 2; m != NULL && i <= m->n_jobs; i += 2) {
        if (i <= after)
            continue;
        out->items = xgrow(out->items, &out->capacity, out->n + 1, sizeof *out->items);
        out->items[out->n++] = (struct twin_pair){side(m, i), side(m, i - 1)};
    }
    return m != NULL ? 0 : -1;
}

/* ---- policy.h: no sweep has one ------------------------------------------------------ */

int
policy_blame_host(struct pg *pg, int64_t job, const char *fingerprint, bool *rests,
                  struct err *err)
{
    (void)job;
    (void)fingerprint;
    *rests = false;
    return statement(pg, err) != NULL ? 0 : -1;
}

int
policy_stop_sweeps(struct pg *pg, int64_t job, bool *stopped, struct err *err)
{
    (void)job;
    *stopped = false;
    return statement(pg, err) != NULL ? 0 : -1;
}

/* ---- workers.h, requests.h, events.h, catalogs.h, migrate.h -------------------------- */

int
workers_connected(struct pg *pg, const struct worker_row *w, int64_t *id,
                  struct err *err)
{
    struct model *m = statement(pg, err);
    int64_t i = 1;

    if (m == NULL)
        return -1;
    while (i <= m->n_workers && strcmp(m->workers[i].boot, w->boot) != 0)
        i++;
    if (i > MAX_BOOTS)
        return err_set(err, ERR_DB, "the model has no room for more workers");
    if (i > m->n_workers)
        m->n_workers = i;
    snprintf(m->workers[i].boot, sizeof m->workers[i].boot, "%s", w->boot);
    snprintf(m->workers[i].name, sizeof m->workers[i].name, "%s", w->name);
    m->workers[i].connected = true;
    *id = i;
    return 0;
}

int
workers_gone(struct pg *pg, const char *boot, struct err *err)
{
    struct model *m = statement(pg, err);

    for (int64_t i = 1; m != NULL && i <= m->n_workers; i++)
        if (boot == NULL || strcmp(m->workers[i].boot, boot) == 0)
            m->workers[i].connected = false;
    return m != NULL ? 0 : -1;
}

int
workers_progress(struct pg *pg, const struct worker_progress *rows, size_t n,
                 struct err *err)
{
    (void)rows;
    (void)n;
    return statement(pg, err) != NULL ? 0 : -1;
}

int
workers_forget_progress(struct pg *pg, int64_t job, struct err *err)
{
    (void)job;
    return statement(pg, err) != NULL ? 0 : -1;
}

int
requests_open(struct pg *pg, struct request_list *out, struct err *err)
{
    const struct model *m = statement(pg, err);

    for (int64_t i = 1; m != NULL && i <= m->n_jobs; i++) {
        const struct job_row *j = &m->jobs[i];
        if ((!j->cancel_open && !j->hold_open) || j->state != JOB_LEASED)
            continue;
        out->items = xgrow(out->items, &out->capacity, out->n + 1, sizeof *out->items);
        out->items[out->n++] =
            (struct request_cancel){.job = i,
                                    .attempt = j->attempt,
                                    .hard = j->cancel_open && j->cancel_hard,
                                    .hold = !j->cancel_open};
    }
    return m != NULL ? 0 : -1;
}

int
requests_done(struct pg *pg, int64_t job, struct err *err)
{
    struct model *m = statement(pg, err);

    if (m == NULL)
        return -1;
    m->jobs[job].cancel_open = m->jobs[job].hold_open = false;
    return 0;
}

int
events_add(struct pg *pg, int64_t job, int64_t attempt, const char *kind,
           const char *detail, struct err *err)
{
    (void)job;
    (void)attempt;
    (void)kind;
    (void)detail;
    return statement(pg, err) != NULL ? 0 : -1;
}

int
catalogs_save(struct pg *pg, const char *text, struct err *err)
{
    (void)text;
    return statement(pg, err) != NULL ? 0 : -1;
}

int
migrate_check(struct pg *pg, int64_t needed, struct err *err)
{
    (void)needed;
    return statement(pg, err) != NULL ? 0 : -1;
}

int
migrate_apply(struct pg *pg, struct err *err)
{
    return statement(pg, err) != NULL ? 0 : -1;
}
