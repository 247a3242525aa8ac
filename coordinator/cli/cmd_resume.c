/* cmd_resume.c - held jobs go on: those of `pause`, and of a sweep that stopped itself. */
#include <inttypes.h>
#include <stdio.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/select.h"

struct resume_config {
    const char *job;
};

static const struct param resume_params[] = {
    SELECT_ROW_JOB(struct resume_config),
};

static int
resume_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct resume_config *c = config;
    struct db_selection sel;
    int64_t count = 0;
    struct db *db;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || select_jobs(&sel, db, words[0], c->job, "any", err) != 0
        || db_resume(db, &sel, &count, err) != 0)
        return -1;
    fprintf(stderr, "%" PRId64 " held %s on\n", count,
            count == 1 ? "job goes" : "jobs go");
    return EXIT_OK;
}

const struct cmd cmd_resume = {
    .name = "resume",
    .usage = "SWEEP|JOB",
    .doc = "let held jobs go on",
    .group = "Jobs",
    .params = resume_params,
    .n_params = PARAM_COUNT(resume_params),
    .config_size = sizeof(struct resume_config),
    .min_words = 1,
    .max_words = 1,
    .run = resume_run,
};
