/* cmd_watch.c - follow a sweep until no job is open. Ctrl-C leaves it running. */
#include <stdio.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/progress.h"

static int
watch_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
          struct err *err)
{
    json_t *last = NULL;
    int64_t sweep;
    struct db *db;

    (void)config;
    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || db_sweep_id(db, words[0], &sweep, err) != 0)
        return -1;
    follow_catch_signals();
    int rc = follow(ctx, sweep, NULL, &last, err);
    if (rc == EXIT_INTERRUPTED)
        fprintf(stderr, "no longer watching; the sweep is as it was\n");
    else if (rc == 0 && progress_bad_jobs(last) > 0)
        rc = EXIT_JOBS_FAILED;
    json_decref(last);
    return rc;
}

const struct cmd cmd_watch = {
    .name = "watch",
    .usage = "SWEEP",
    .doc = "live view of a sweep until it is done",
    .group = "Sweeps",
    .min_words = 1,
    .max_words = 1,
    .run = watch_run,
};
