/* cmd_pause.c - hold jobs back; nothing is lost, `resume` lets them go on. */
#include <inttypes.h>
#include <stdio.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/select.h"

struct pause_config {
    const char *job, *state;
    bool running;
};

static const struct param pause_params[] = {
    SELECT_ROW_JOB(struct pause_config),
    SELECT_ROW_STATE(struct pause_config),
    PARAM_ROW_BOOL(struct pause_config, running, "false",
                   "running jobs too: they write a checkpoint and stop"),
};

static int
pause_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
          struct err *err)
{
    const struct pause_config *c = config;
    struct db_selection sel;
    int64_t count = 0;
    struct db *db;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || select_jobs(&sel, db, words[0], c->job, c->state, err) != 0
        || db_pause(db, &sel, c->running, &count, err) != 0)
        return -1;
    fprintf(stderr, "%" PRId64 " %s held; `relusweep resume %s` lets %s go on%s\n",
            count, count == 1 ? "job is" : "jobs are", words[0],
            count == 1 ? "it" : "them",
            c->running ? "" : "; what runs goes on (--running stops it as well)");
    return EXIT_OK;
}

const struct cmd cmd_pause = {
    .name = "pause",
    .usage = "SWEEP|JOB",
    .doc = "hold jobs back until `resume`; results stay",
    .group = "Jobs",
    .params = pause_params,
    .n_params = PARAM_COUNT(pause_params),
    .config_size = sizeof(struct pause_config),
    .min_words = 1,
    .max_words = 1,
    .run = pause_run,
};
