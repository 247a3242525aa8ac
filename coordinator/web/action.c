/*
 * action.c - what people change from the page. Invariant: nothing changes without the
 * secret of our forms, and never over the reading connections: each action has one of its
 * own, through the same functions as the command line.
 */
#include "coordinator/web/action.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/web/filter.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

enum { MOST_SINGLY = 2000 };

static void
go_to(struct response *out, char *location)
{
    response_release(out);
    out->status = 303;
    out->location = location;
}

/* ---- the token ---------------------------------------------------------------------- */

static void
log_in(struct seat *seat, struct request *r, struct response *out)
{
    char cookie[65];

    if (!guard_is_token(&seat->site->guard, request_get(r, "token"))) {
        answer_sorry(out, r->is_api, 403, "that is not the token");
        return;
    }
    guard_cookie(&seat->site->guard, cookie);
    go_to(out, xstrdup("/"));
    out->cookie = xasprintf("relusweep=%s; HttpOnly; SameSite=Strict; Path=/", cookie);
}

/* ---- jobs --------------------------------------------------------------------------- */

static int
act_on(struct db *db, const char *action, const struct db_selection *selection,
       int64_t *count, struct err *err)
{
    int64_t n = 0;
    int rc;

    if (strcmp(action, "retry") == 0)
        rc = db_retry(db, selection, &n, err);
    else if (strcmp(action, "cancel") == 0)
        rc = db_cancel(db, selection, false, &n, err);
    else
        rc = err_set(err, ERR_USAGE, "jobs can be retried or cancelled");
    *count += n;
    return rc;
}

static int
act_on_job(struct db *db, const char *action, int64_t job, int64_t *count,
           struct err *err)
{
    char name[24];

    snprintf(name, sizeof name, "%lld", (long long)job);
    return act_on(db, action, &(struct db_selection){.state = "", .job = name}, count,
                  err);
}

/* The jobs that match now, one after the other. */
static int
act_on_each(struct db *db, const char *action, const struct db_web_filter *f,
            int64_t *count, struct err *err)
{
    json_t *doc, *id;
    size_t i;
    int rc = 0;

    if (db_web_ids(db, f, MOST_SINGLY + 1, &doc, err) != 0)
        return -1;
    const json_t *ids = json_object_get(doc, "ids");
    if (json_array_size(ids) > MOST_SINGLY)
        rc = err_set(err, ERR_REFUSED,
                     "more than %d jobs match: by stage or parameters that is too many "
                     "at once; choose by sweep and state alone, or add conditions",
                     MOST_SINGLY);
    json_array_foreach(ids, i, id)
    {
        if (rc == 0)
            rc = act_on_job(db, action, json_integer_value(id), count, err);
    }
    json_decref(doc);
    return rc;
}

/* A sweep, or a state of it, is one transaction, as from the command line. */
static int
act(struct db *db, const struct request *r, int64_t *count, struct err *err)
{
    const char *action = request_get(r, "action");
    const int64_t job = request_number(r, "job", 0, 1, INT64_MAX);
    struct db_web_filter f;
    struct arena mem = {0};
    int rc = filter_read(&f, &mem, r, 0, err);

    if (rc == 0 && job > 0)
        rc = act_on_job(db, action, job, count, err);
    else if (rc == 0 && (f.stage[0] != '\0' || f.n_conditions > 0))
        rc = act_on_each(db, action, &f, count, err);
    else if (rc == 0)
        rc = act_on(db, action,
                    &(struct db_selection){.sweep = f.sweep, .state = f.state}, count,
                    err);
    arena_release(&mem);
    return rc;
}

/* Back to where its effect can be seen. */
static char *
place_of(const struct request *r)
{
    const int64_t job = request_number(r, "job", 0, 1, INT64_MAX);
    const int64_t sweep = request_number(r, "sweep", 0, 1, INT64_MAX);

    if (job > 0)
        return xasprintf("/jobs/%lld", (long long)job);
    return sweep > 0 ? xasprintf("/sweeps/%lld", (long long)sweep) : xstrdup("/jobs");
}

static void
act_on_jobs(struct seat *seat, struct request *r, struct response *out)
{
    struct err err = {0};
    struct db *db = NULL;
    int64_t count = 0;

    if (!guard_form_is_ours(&seat->site->guard, request_get(r, "form"))) {
        answer_sorry(out, r->is_api, 403,
                     "this form is of an earlier start of the page");
        return;
    }
    if (db_open(&db, seat->site->config->database, &err) == 0
        && act(db, r, &count, &err) == 0) {
        log_info("web", "action=%s jobs=%lld sweep=%s", request_get(r, "action"),
                 (long long)count, request_get(r, "sweep"));
        go_to(out, place_of(r));
    } else {
        answer_sorry(out, r->is_api,
                     err.kind == ERR_DB        ? 503
                     : err.kind == ERR_REFUSED ? 409
                                               : 400,
                     err.text);
    }
    db_close(db);
}

void
action_answer(struct seat *seat, struct request *r, struct response *out)
{
    if (strcmp(r->path, "/login") == 0)
        log_in(seat, r, out);
    else if (strcmp(r->path, "/actions") == 0)
        act_on_jobs(seat, r, out);
    else
        answer_sorry(out, r->is_api, 405, "nothing can be sent here");
}
