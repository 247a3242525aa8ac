#ifndef COORDINATOR_LAUNCH_PROCESS_H
#define COORDINATOR_LAUNCH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/base/err.h"

/* Child processes of the command line: our own programs, and PostgreSQL's. */

/* Who a child runs as; uid 0 means: as we are. */
struct process_user {
    uid_t uid;
    gid_t gid;
};

/* Runs argv[0] to its end with stdout and stderr appended to `log` (NULL: inherited).
 * `user` may be NULL. An exit code other than 0 is ERR_SYS with the last lines of the
 * log. */
MUST_CHECK int process_run(char *const *argv, const char *log,
                           const struct process_user *user, struct err *err);

/* Starts argv[0] in the background, in its own process group, output appended to `log`.
 * It gets SIGTERM when we die. */
MUST_CHECK int process_start(pid_t *out, char *const *argv, const char *log,
                             struct err *err);

/* True while the process lives; otherwise it has been reaped and *status is set. */
bool process_alive(pid_t pid, int *status);

/* SIGTERM, then after grace_ms SIGKILL; returns when it is gone. */
void process_stop(pid_t pid, int64_t grace_ms);

/* Runs argv[0] and collects its stdout. The exit code must be 0. */
struct buf;
MUST_CHECK int process_output(struct buf *out, char *const *argv, struct err *err);

/* "exit 3", "signal 9 (Killed)"; a static buffer. */
const char *process_describe(int status);

/* The last `lines` lines of a file, for error texts; caller frees. */
char *process_log_tail(const char *path, int lines);

#endif
