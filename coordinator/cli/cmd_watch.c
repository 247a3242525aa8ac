/* cmd_watch.c - follow a sweep until no job is open. Ctrl-C leaves it running. */
#include <stdio.h>
#include <time.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/progress.h"

static int
watch_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
          struct err *err)
{
    const struct timespec pause = {.tv_nsec = 300 * 1000 * 1000};
    struct progress *view;
    int64_t sweep, bad = 0, open = 1;
    struct db *db;
    int rc = 0;

    (void)config;
    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || db_sweep_id(db, words[0], &sweep, err) != 0)
        return -1;
    view = progress_new(ctx);
    while (rc == 0 && open > 0) {
        json_t *status = NULL;
        rc = db_status(db, sweep, &status, err);
        if (rc == 0) {
            progress_show(view, status);
            open = progress_open_jobs(status);
            bad = progress_bad_jobs(status);
        }
        json_decref(status);
        if (rc == 0 && open > 0)
            nanosleep(&pause, NULL);
    }
    progress_end(view);
    if (rc != 0)
        return -1;
    return bad > 0 ? EXIT_JOBS_FAILED : EXIT_OK;
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
