/* cmd_submit.c - a sweep file into the queue; running it is the coordinator's part. */
#include <inttypes.h>
#include <stdio.h>

#include "coordinator/cli/sweepfile.h"

struct submit_config {
    struct sweepfile_config file;
};

static const struct param submit_params[] = {
    SWEEPFILE_ROWS(struct submit_config),
};

static void
tell(const struct sweep *s, const struct dag *d, const struct db_submitted *sub)
{
    fprintf(stderr,
            "sweep %s: %" PRId64 " cells, %" PRId64
            " jobs (%zu without sharing): %" PRId64 " new, %" PRId64 " done already\n",
            s->name, sub->cells, sub->jobs, d->n_unshared, sub->new_jobs, sub->done);
    if (sub->failed > 0)
        fprintf(stderr,
                "%" PRId64 " jobs have failed before; `relusweep retry %s` gives them "
                "another try\n",
                sub->failed, s->name);
    fprintf(stderr, "`relusweep watch %s` follows it\n", s->name);
}

static int
submit_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct submit_config *c = config;
    struct db_submitted sub = {0};
    struct sweep *s;
    struct dag *d;
    struct db *db;
    int rc = -1;

    (void)n_words;
    if (sweepfile_load(&s, &d, ctx, words[0], &c->file, err) != 0)
        return -1;
    if (cmd_ctx_db(ctx, true, &db, err) == 0 && db_submit(db, s, d, &sub, err) == 0) {
        tell(s, d, &sub);
        puts(s->name);
        rc = EXIT_OK;
    }
    dag_free(d);
    sweep_free(s);
    return rc;
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
