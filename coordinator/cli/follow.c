/*
 * follow.c - the loop behind `run` and `watch`. A server that crashed or is being
 * restarted is waited for, because a sweep of days must not end with it: every result is
 * in the database or still with its worker.
 */
#include "coordinator/cli/follow.h"

#include <signal.h>
#include <stdlib.h>

#include "coordinator/cli/forecast.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"

enum { LOOK_MS = 200, REST = 4, AGAIN_MS = 1000, PATIENCE_MS = 60000 };

/* One follow. */
struct follower {
    struct cmd_ctx *ctx;
    struct local *programs; /* or NULL */
    struct view *view;
    struct forecast *forecast;
    int64_t sweep;
    json_t *status; /* the newest */
    bool left;      /* the person wants no more */
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void
follow_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal}, hangup;

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

bool
follow_interrupted(void)
{
    return interrupted != 0;
}

/* After err said that the database went away: until it is back. */
static int
wait_for_database(struct follower *f, struct err *err)
{
    const int64_t deadline = clock_mono_ms() + PATIENCE_MS;
    char *text = xasprintf("%s; waiting for it to come back ...", err->text);
    struct db *db;

    f->view->say(f->view, text);
    free(text);
    while (!interrupted && !f->left) {
        if (cmd_ctx_db_again(f->ctx, &db, err) == 0) {
            f->view->say(f->view, "the database is back");
            return 0;
        }
        if (err->kind != ERR_DB)
            return -1;
        if (clock_mono_ms() > deadline)
            return err_wrap(err,
                            "no database for %d s; what was done is safe, and the "
                            "same command goes on when the server runs again",
                            PATIENCE_MS / 1000);
        if (f->programs != NULL && local_tend(f->programs, err) != 0)
            return -1;
        f->left = f->view->wait(f->view, AGAIN_MS);
    }
    return interrupted ? EXIT_INTERRUPTED : 0;
}

/* The newest picture, shown. */
static int
take_picture(struct follower *f, struct err *err)
{
    struct picture now = {0};
    json_t *status = NULL;
    struct db *db;

    if (cmd_ctx_db(f->ctx, false, &db, err) != 0
        || db_status(db, f->sweep, &status, err) != 0)
        return -1;
    json_decref(f->status);
    f->status = status;
    now.status = status;
    if (forecast_fill(&now, f->forecast, db, err) != 0)
        return -1;
    f->view->show(f->view, &now);
    return 0;
}

static int
look(struct follower *f, struct err *err)
{
    if (interrupted)
        return EXIT_INTERRUPTED;
    if (take_picture(f, err) != 0)
        return err->kind == ERR_DB ? wait_for_database(f, err) : -1;
    return f->programs != NULL ? local_tend(f->programs, err) : 0;
}

/* Looks until the sweep is done; a large sweep takes a while to look at, and rests. */
static int
look_on(struct follower *f, struct err *err)
{
    for (;;) {
        const int64_t start = clock_mono_ms();
        const int rc = look(f, err);
        if (rc != 0 || f->left || (f->status != NULL && view_open_jobs(f->status) == 0))
            return rc;
        f->left = f->view->wait(f->view, LOOK_MS + REST * (clock_mono_ms() - start));
        if (f->left)
            return interrupted ? EXIT_INTERRUPTED : 0;
    }
}

int
follow(struct cmd_ctx *ctx, int64_t sweep, struct local *programs, struct view *view,
       json_t **last, struct err *err)
{
    struct follower f = {
        .ctx = ctx, .programs = programs, .view = view, .sweep = sweep};

    f.forecast = forecast_new(ctx, sweep);
    const int rc = look_on(&f, err);
    forecast_free(f.forecast);
    view->end(view);
    *last = f.status;
    return rc;
}
