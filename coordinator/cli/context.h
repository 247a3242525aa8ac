#ifndef COORDINATOR_CLI_CONTEXT_H
#define COORDINATOR_CLI_CONTEXT_H

#include "coordinator/cli/cmd.h"

/* Global options, accepted by every verb; rows of one table (main.c parses). */
struct global_options {
    const char *database;
    const char *state_dir;
    bool help;
};
extern const struct param global_params[];
extern const size_t n_global_params;

/* Fills the context; `state_dir` is made absolute. */
MUST_CHECK int cmd_ctx_init(struct cmd_ctx *ctx, const struct global_options *options,
                            struct err *err);

/* Closes the database and leaves the private cluster. */
void cmd_ctx_release(struct cmd_ctx *ctx);

#endif
