/* cmd_retry.c - another try for jobs that ended badly, and for what waited on them; or for
 * those that succeeded. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/select.h"

struct retry_config {
    const char *job, *state;
    bool failed, quarantined, again;
};

static const struct param retry_params[] = {
    SELECT_ROW_JOB(struct retry_config),
    SELECT_ROW_STATE(struct retry_config),
    PARAM_ROW_BOOL(struct retry_config, failed, "false", "only those that failed"),
    PARAM_ROW_BOOL(struct retry_config, quarantined, "false",
                   "only those that were set aside because workers died of them"),
    PARAM_ROW_BOOL(struct retry_config, again, "false",
                   "those that succeeded instead, whose artifacts are damaged or not "
                   "believed, and all that came of them"),
};

/* Of --state, --failed and --quarantined at most one. */
static int
state_of(const struct retry_config *c, const char **out, struct err *err)
{
    const bool any = strcmp(c->state, "any") == 0;

    if (c->failed + c->quarantined + c->again + !any > 1)
        return err_set(
            err, ERR_USAGE,
            "--failed, --quarantined, --again and --state exclude each other");
    *out = c->failed        ? "failed"
           : c->quarantined ? "quarantined"
           : c->again       ? "succeeded"
                            : c->state;
    return 0;
}

static int
retry_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
          struct err *err)
{
    const struct retry_config *c = config;
    struct db_selection sel;
    const char *state = "";
    int64_t count = 0;
    struct db *db;

    (void)n_words;
    if (state_of(c, &state, err) != 0 || cmd_ctx_db(ctx, false, &db, err) != 0
        || select_jobs(&sel, db, words[0], c->job, state, err) != 0
        || (c->again ? db_redo : db_retry)(db, &sel, &count, err) != 0)
        return -1;
    if (count == 0)
        fprintf(stderr, "nothing to retry: no job of `%s` %s\n", words[0],
                c->again ? "has succeeded" : "failed or was cancelled");
    else
        fprintf(stderr, "%" PRId64 " %s will be tried again\n", count,
                count == 1 ? "job" : "jobs");
    return EXIT_OK;
}

const struct cmd cmd_retry = {
    .name = "retry",
    .usage = "SWEEP|JOB",
    .doc = "queue failed, cancelled and quarantined jobs again",
    .group = "Jobs",
    .params = retry_params,
    .n_params = PARAM_COUNT(retry_params),
    .config_size = sizeof(struct retry_config),
    .min_words = 1,
    .max_words = 1,
    .run = retry_run,
};
