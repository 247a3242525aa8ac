/* cmd_priority.c - which jobs run earlier. */
#include <inttypes.h>
#include <stdio.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/select.h"

struct priority_config {
    const char *job;
    int64_t to;
};

static const struct param priority_params[] = {
    PARAM_ROW_INT(struct priority_config, to, NULL, -DB_MAX_PRIORITY, DB_MAX_PRIORITY,
                  "the new priority; higher runs earlier, jobs begin with 0"),
    SELECT_ROW_JOB(struct priority_config),
};

static int
priority_run(struct cmd_ctx *ctx, const void *config, const char **words,
             size_t n_words, struct err *err)
{
    const struct priority_config *c = config;
    struct db_selection sel;
    int64_t count = 0;
    struct db *db;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || select_jobs(&sel, db, words[0], c->job, "any", err) != 0
        || db_priority(db, &sel, c->to, &count, err) != 0)
        return -1;
    fprintf(stderr, "%" PRId64 " unfinished %s priority %" PRId64 " now\n", count,
            count == 1 ? "job has" : "jobs have", c->to);
    return EXIT_OK;
}

const struct cmd cmd_priority = {
    .name = "priority",
    .usage = "SWEEP|JOB",
    .doc = "run the unfinished jobs earlier or later than others",
    .group = "Jobs",
    .params = priority_params,
    .n_params = PARAM_COUNT(priority_params),
    .config_size = sizeof(struct priority_config),
    .min_words = 1,
    .max_words = 1,
    .run = priority_run,
};
