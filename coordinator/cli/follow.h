#ifndef COORDINATOR_CLI_FOLLOW_H
#define COORDINATOR_CLI_FOLLOW_H

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/view.h"
#include "coordinator/launch/local.h"

/*
 * Following a sweep until none of its jobs is open, for `run` and `watch`: the live
 * view, Ctrl-C, and patience with a database that goes away for a while.
 */

/* From here on SIGINT, SIGTERM, SIGQUIT and SIGHUP (unless it was ignored, as nohup does)
 * end a follow instead of the program, so that a private server and the terminal are left
 * properly. */
void follow_catch_signals(void);
bool follow_interrupted(void);

/* `programs`: what has to be kept alive meanwhile, or NULL to look on only. `view` is
 * ended in any case. Returns 0 when no job is open or the person left, -1 with err
 * (ERR_DB after a minute without a database), or EXIT_INTERRUPTED. *last is the newest
 * status, NULL without one; the caller decrefs. The database may have been opened anew:
 * ask cmd_ctx_db for it. */
MUST_CHECK int follow(struct cmd_ctx *ctx, int64_t sweep, struct local *programs,
                      struct view *view, json_t **last, struct err *err);

#endif
