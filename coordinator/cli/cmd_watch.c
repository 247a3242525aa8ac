/*
 * cmd_watch.c - follow a sweep until no job is open: on the whole screen of a terminal,
 * in lines elsewhere. Leaving it changes nothing for the sweep.
 */
#include <stdio.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/fullscreen.h"
#include "coordinator/cli/progress.h"

/* What was on a screen is gone with it: how the sweep stands. */
static void
print_counts(const json_t *status, const char *name)
{
    struct buf counts = {0};

    view_put_counts(&counts, status);
    printf("%s: %s\n", name, buf_str(&counts));
    buf_release(&counts);
}

static void
say_end(const json_t *status, const char *name)
{
    if (view_bad_jobs(status) > 0)
        fprintf(stderr, "`relusweep status %s` says what failed\n", name);
    if (view_open_jobs(status) > 0)
        fprintf(stderr, "no longer watching; the sweep is as it was\n");
}

static int
watch_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
          struct err *err)
{
    json_t *first = NULL, *last = NULL;
    int64_t sweep;
    struct db *db;

    (void)config;
    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || db_sweep_id(db, words[0], &sweep, err) != 0
        || db_status(db, sweep, &first, err) != 0)
        return -1;
    follow_catch_signals();
    /* a sweep with nothing to wait for needs no screen */
    struct view *screen =
        view_open_jobs(first) > 0 ? fullscreen_new(ctx->colour) : NULL;
    json_decref(first);
    int rc =
        follow(ctx, sweep, NULL,
               screen != NULL ? screen : progress_new(stdout, false, true), &last, err);
    if (last != NULL && screen != NULL)
        print_counts(last, words[0]);
    if (last != NULL)
        say_end(last, words[0]);
    if (rc == 0 && view_open_jobs(last) == 0 && view_bad_jobs(last) > 0)
        rc = EXIT_JOBS_FAILED;
    json_decref(last);
    return rc;
}

const struct cmd cmd_watch = {
    .name = "watch",
    .usage = "SWEEP",
    .doc = "live view of a sweep until it is done; q leaves it",
    .group = "Sweeps",
    .min_words = 1,
    .max_words = 1,
    .run = watch_run,
};
