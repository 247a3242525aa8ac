/* cmd_extend.c - a changed file becomes the next revision of a sweep that is there. */
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/sweepfile.h"
#include "shared/base/mem.h"

struct extend_config {
    struct sweepfile_config file;
};

static const struct param extend_params[] = {
    SWEEPFILE_ROWS(struct extend_config),
};

/* The file is taken as that sweep, whatever name it has. */
static int
submit_as(struct cmd_ctx *ctx, const char *sweep, const char *path,
          const struct extend_config *c, struct err *err)
{
    struct sweepfile_config file = c->file;
    struct db_submitted sub = {0};
    char *sets = xasprintf("%s%sname=%s", file.set, file.set[0] ? "\n" : "", sweep);
    char *name = NULL;

    file.set = sets;
    const int rc = sweepfile_submit(&sub, &name, ctx, path, &file, err);
    free(sets);
    free(name);
    return rc;
}

static int
extend_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    struct db *db;
    int64_t sweep;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || db_sweep_id(db, words[0], &sweep, err) != 0
        || submit_as(ctx, words[0], words[1], config, err) != 0)
        return -1;
    return EXIT_OK;
}

const struct cmd cmd_extend = {
    .name = "extend",
    .usage = "SWEEP SWEEP.yaml",
    .doc = "a new revision of a sweep; only what is missing is added",
    .group = "Sweeps",
    .params = extend_params,
    .n_params = PARAM_COUNT(extend_params),
    .config_size = sizeof(struct extend_config),
    .repeated = "set",
    .min_words = 2,
    .max_words = 2,
    .run = extend_run,
};
