/*
 * follow.c - the loop behind `run` and `watch`. A server that crashed or is being
 * restarted is waited for, because a sweep of days must not end with it: every result is
 * in the database or still with its worker.
 */
#include "coordinator/cli/follow.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "coordinator/cli/progress.h"
#include "shared/base/clock.h"

enum { LOOK_MS = 200, AGAIN_MS = 1000, PATIENCE_MS = 60000 };

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
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool
follow_interrupted(void)
{
    return interrupted != 0;
}

/* A signal cuts it short. */
static void
pause_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000,
                                   .tv_nsec = ms % 1000 * 1000 * 1000};

    nanosleep(&pause, NULL);
}

/* After err said that the database went away: until it is back. */
static int
wait_for_database(struct cmd_ctx *ctx, struct local *programs, struct err *err)
{
    const int64_t deadline = clock_mono_ms() + PATIENCE_MS;
    struct db *db;

    fprintf(stderr, "%s; waiting for it to come back ...\n", err->text);
    while (!interrupted) {
        if (cmd_ctx_db_again(ctx, &db, err) == 0) {
            fprintf(stderr, "the database is back\n");
            return 0;
        }
        if (err->kind != ERR_DB)
            return -1;
        if (clock_mono_ms() > deadline)
            return err_wrap(err,
                            "no database for %d s; what was done is safe, and the "
                            "same command goes on when the server runs again",
                            PATIENCE_MS / 1000);
        if (programs != NULL && local_tend(programs, err) != 0)
            return -1;
        pause_ms(AGAIN_MS);
    }
    return EXIT_INTERRUPTED;
}

/* One look, which replaces *last. */
static int
look(struct cmd_ctx *ctx, int64_t sweep, struct local *programs, json_t **last,
     struct err *err)
{
    json_t *status = NULL;
    struct db *db;

    if (interrupted)
        return EXIT_INTERRUPTED;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || db_status(db, sweep, &status, err) != 0)
        return err->kind == ERR_DB ? wait_for_database(ctx, programs, err) : -1;
    json_decref(*last);
    *last = status;
    return programs != NULL ? local_tend(programs, err) : 0;
}

int
follow(struct cmd_ctx *ctx, int64_t sweep, struct local *programs, json_t **last,
       struct err *err)
{
    struct progress *view = progress_new(ctx, programs == NULL);
    int rc;

    *last = NULL;
    for (;;) {
        rc = look(ctx, sweep, programs, last, err);
        if (rc == 0 && *last != NULL)
            progress_show(view, *last);
        if (rc != 0 || (*last != NULL && progress_open_jobs(*last) == 0))
            break;
        pause_ms(LOOK_MS);
    }
    progress_end(view);
    return rc;
}
