#ifndef WORKER_AGENT_JOBLOG_H
#define WORKER_AGENT_JOBLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/agent/session.h"

/* Forwards the log file of one run in pieces; what a noisy stage writes beyond a rate is
 * left out, and stays in the file. */
struct joblog {
    char *path; /* owned */
    int64_t offset;
    int64_t due_ms;
};

void joblog_init(struct joblog *l, const char *dir);
void joblog_release(struct joblog *l);

/* Sends the next piece if it is time; true when all is sent that is in the file. */
bool joblog_step(struct joblog *l, struct session *s, struct msg_run run,
                 int64_t now_ms);

/* A new session: pieces sent last may be lost, and a repeat is harmless. */
void joblog_rewind(struct joblog *l);

/* The last lines of the file, at most about 1 KiB; "" where there are none. Caller
 * frees. */
char *joblog_tail(const struct joblog *l);

#endif
