/*
 * action.c - what people change from the page. Invariant: nothing changes without the
 * secret of our forms, and never over the reading connections: each action has one of its
 * own, through the same functions as the command line.
 */
#include "coordinator/web/action.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/web/deed.h"
#include "coordinator/web/filter.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

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

/* Those that match now, in one transaction. A whole sweep, or a state of it, is not
 * spelled out job by job: it is what the verb of the command line works on, and marks the
 * sweep itself. */
static int
act(struct db *db, const struct request *r, int64_t *count, struct err *err)
{
    const struct deed *deed;
    struct db_web_filter f;
    struct arena mem = {0};
    int64_t *jobs = NULL;
    size_t n = 0;
    int rc = -1;

    if (deed_find(&deed, request_get(r, "action"), err) != 0
        || filter_read(&f, &mem, r, 0, err) != 0)
        goto out;
    if ((f.stage[0] != '\0' || f.cause[0] != '\0' || f.n_conditions > 0
         || f.n_chosen > 0)
        && db_web_ids(db, &f, 0, INT64_MAX, &jobs, &n, err) != 0)
        goto out;
    rc = deed->apply(db,
                     &(struct db_selection){
                         .sweep = f.sweep, .state = f.state, .jobs = jobs, .n_jobs = n},
                     r, count, err);
out:
    free(jobs);
    arena_release(&mem);
    return rc;
}

/* Back to where its effect can be seen. */
static char *
place_of(const struct request *r)
{
    const int64_t job = request_number(r, "job", 0, 1, INT64_MAX);
    const bool several = request_count(r, "job") > 1;
    const int64_t sweep = request_number(r, "sweep", 0, 1, INT64_MAX);

    if (job > 0 && !several)
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
