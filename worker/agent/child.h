#ifndef WORKER_AGENT_CHILD_H
#define WORKER_AGENT_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/base/err.h"
#include "shared/base/json.h"

/*
 * One stage process: in a process group of its own, so that nothing of it survives it;
 * killed by the kernel when the agent dies; its events come as JSON lines through a pipe
 * on its fd 3, its stdout and stderr go to a log file. A crash, an out-of-memory kill or
 * a hang of it is an ended child, nothing more.
 */
struct child;

struct child_end {
    int exit_code;  /* when signal == 0 */
    int signal;     /* the signal that killed it, or 0 */
    double seconds; /* from start to end */
    int64_t peak_rss_bytes;
};

/* Starts `program` with argv and exactly the environment env (both NULL-terminated).
 * The log file is appended to. */
MUST_CHECK int child_start(struct child **out, const char *program, char *const *argv,
                           char *const *env, const char *log_path, struct err *err);

/* Kills what still lives, and forgets it. */
void child_free(struct child *c);

pid_t child_pid(const struct child *c);

/* Readable when there are events; -1 once the pipe has ended. */
int child_fd(const struct child *c);

/* The next whole event, new reference; NULL when there is none now. Lines that are not
 * JSON objects are logged and skipped. */
json_t *child_next_event(struct child *c);

/* SIGTERM now, SIGKILL to the whole group grace_ms later. Repeating it is harmless; the
 * earlier deadline counts. */
void child_stop(struct child *c, int64_t now_ms, int64_t grace_ms);
void child_kill(struct child *c);

/* Sends the SIGKILL that child_stop promised. */
void child_tick(struct child *c, int64_t now_ms);

/* True when the process has ended; *end is then filled. What its group left behind is
 * killed. Events may still be waiting. */
bool child_ended(struct child *c, struct child_end *end);

#endif
