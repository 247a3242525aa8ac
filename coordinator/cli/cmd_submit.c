/* cmd_submit.c - a sweep file into the queue; running it is the coordinator's part. */
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/sweepfile.h"

struct submit_config {
    struct sweepfile_config file;
};

static const struct param submit_params[] = {
    SWEEPFILE_ROWS(struct submit_config),
};

static int
submit_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct submit_config *c = config;
    struct db_submitted sub = {0};
    char *name;

    (void)n_words;
    if (sweepfile_submit(&sub, &name, ctx, words[0], &c->file, err) != 0)
        return -1;
    fprintf(stderr, "`relusweep watch %s` follows it\n", name);
    puts(name);
    free(name);
    return EXIT_OK;
}

const struct cmd cmd_submit = {
    .name = "submit",
    .usage = "SWEEP.yaml",
    .doc = "queue a sweep; again or extended, it adds only what is missing",
    .group = "Sweeps",
    .params = submit_params,
    .n_params = PARAM_COUNT(submit_params),
    .config_size = sizeof(struct submit_config),
    .repeated = "set",
    .min_words = 1,
    .max_words = 1,
    .run = submit_run,
};
