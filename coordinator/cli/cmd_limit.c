/* cmd_limit.c - how many jobs of a kind may run at once. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/cli/cmd.h"

struct limit_config {
    const char *stage, *label;
    int64_t most;
    bool remove;
};

static const struct param limit_params[] = {
    PARAM_ROW_INT(struct limit_config, most, "-1", -1, 1e9,
                  "at most so many jobs at once; 0: none"),
    PARAM_ROW_BOOL(struct limit_config, remove, "false", "take the limit away"),
    PARAM_ROW_STRING(struct limit_config, stage, "", "counts only jobs of this stage"),
    PARAM_ROW_STRING(struct limit_config, label, "",
                     "counts only jobs that need this label, a resource"),
};

static int
check(const struct limit_config *c, struct err *err)
{
    if ((c->most >= 0) == c->remove)
        return err_set(err, ERR_USAGE,
                       "write --most N to set the limit, or --remove to take it away");
    return 0;
}

static int
limit_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
          struct err *err)
{
    const struct limit_config *c = config;
    struct db_limit limit = {
        .stage = c->stage, .label = c->label, .most = c->remove ? -1 : c->most};
    struct db *db;

    if (check(c, err) != 0 || cmd_ctx_db(ctx, false, &db, err) != 0
        || (n_words > 0 && db_sweep_id(db, words[0], &limit.sweep, err) != 0)
        || db_limit(db, &limit, err) != 0)
        return -1;
    if (c->remove)
        fprintf(stderr, "no limit any more; `relusweep status` lists the others\n");
    else
        fprintf(stderr, "at most %" PRId64 " at once from now on; what runs goes on\n",
                c->most);
    return EXIT_OK;
}

const struct cmd cmd_limit = {
    .name = "limit",
    .usage = "[SWEEP]",
    .doc = "how many jobs of a sweep, stage or resource may run at once",
    .group = "Jobs",
    .params = limit_params,
    .n_params = PARAM_COUNT(limit_params),
    .config_size = sizeof(struct limit_config),
    .max_words = 1,
    .run = limit_run,
};
