/* cmd_cancel.c - stop jobs; running ones write a checkpoint first, unless --now. */
#include <inttypes.h>
#include <stdio.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/select.h"

struct cancel_config {
    const char *job, *state;
    bool now;
};

static const struct param cancel_params[] = {
    SELECT_ROW_JOB(struct cancel_config),
    SELECT_ROW_STATE(struct cancel_config),
    PARAM_ROW_BOOL(struct cancel_config, now, "false",
                   "kill running jobs at once, without a checkpoint"),
};

static int
cancel_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct cancel_config *c = config;
    struct db_selection sel;
    int64_t count = 0;
    struct db *db;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || select_jobs(&sel, db, words[0], c->job, c->state, err) != 0
        || db_cancel(db, &sel, c->now, &count, err) != 0)
        return -1;
    if (count == 0)
        fprintf(stderr, "nothing to cancel: no job of `%s` is waiting or running\n",
                words[0]);
    else
        fprintf(stderr,
                "%" PRId64 " %s cancelled; `relusweep retry %s` takes it back\n", count,
                count == 1 ? "job" : "jobs", words[0]);
    return EXIT_OK;
}

const struct cmd cmd_cancel = {
    .name = "cancel",
    .usage = "SWEEP|JOB",
    .doc = "stop jobs that are waiting or running; results stay",
    .group = "Jobs",
    .params = cancel_params,
    .n_params = PARAM_COUNT(cancel_params),
    .config_size = sizeof(struct cancel_config),
    .min_words = 1,
    .max_words = 1,
    .run = cancel_run,
};
