#ifndef COORDINATOR_CLI_PROGRESS_H
#define COORDINATOR_CLI_PROGRESS_H

#include "coordinator/cli/cmd.h"

/*
 * The live view of `run` and `watch`, on stderr, drawn from db_status documents of one
 * sweep. On a terminal it redraws a few lines in place; in a pipe it prints a plain line
 * when a state count changes, and at most every 10 s otherwise.
 */
struct progress;

/* `onlooker`: the programs are somebody else's, so say when none is running. */
struct progress *progress_new(const struct cmd_ctx *ctx, bool onlooker);

/* Shows the newest status; call as often as you like, it limits itself. */
void progress_show(struct progress *p, const json_t *status);

/* Leaves the last view standing and frees. Accepts NULL. */
void progress_end(struct progress *p);

/* Jobs of the sweep's status (its first sweep) in none of the final states. */
int64_t progress_open_jobs(const json_t *status);

/* Jobs that ended otherwise than succeeded. */
int64_t progress_bad_jobs(const json_t *status);

#endif
