#ifndef WORKER_AGENT_ATTEMPT_STATE_H
#define WORKER_AGENT_ATTEMPT_STATE_H

#include "worker/agent/attempt.h"
#include "worker/agent/child.h"
#include "worker/agent/joblog.h"
#include "worker/agent/saver.h"
#include "worker/agent/watchdog.h"

/* The inside of an attempt, for attempt*.c only. */
struct attempt {
    const struct attempt_env *env;
    struct msg_run run;
    enum attempt_phase phase;
    char *dir;

    /* FETCH */
    struct blob **inputs; /* parallel to input_paths */
    char **input_paths;   /* where they go */
    size_t n_inputs;
    bool resumes; /* the last one is a checkpoint */

    /* RUN */
    struct child *child;
    int32_t threads; /* granted last; 0: never */
    json_t *result;  /* what the stage said, or NULL */
    json_t *error;   /* what the stage said, or NULL */
    struct watchdog watchdog;
    enum watchdog_verdict verdict; /* why it was stopped, unless it is fine */
    int64_t kills;                 /* memory_kills before the process */
    bool cancelled, giving_back;
    char *reason; /* of the cancelling */

    struct joblog log;
    struct saver saver;

    /* STORE */
    json_t *entry; /* shared with the spool */
    struct blob **puts;
    size_t n_puts;
    int64_t retry_ms;
    int failures;
};

/* One event of the stage. */
void attempt_take_event(struct attempt *a, const json_t *event, int64_t now_ms);

/* The end: by a failure of ours before or after the process, or by the process's. The
 * phase is STORE (or BACK) after it. */
void attempt_fail(struct attempt *a, const char *outcome, const char *text);
void attempt_conclude(struct attempt *a, const struct child_end *end);

/* STORE: moves uploads on, and hands the result in when they are done. */
void attempt_store(struct attempt *a, int64_t now_ms);

#endif
