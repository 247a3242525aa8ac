#ifndef WORKER_AGENT_SESSION_RUN_H
#define WORKER_AGENT_SESSION_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/mem.h"
#include "shared/wire/msg.h"

/*
 * What one run still owes the coordinator: items that are sent, and sent again, until
 * they are acknowledged. Part of session.c; pure like it.
 */
enum { SESSION_BATCH_POINTS = 512 };

struct session_batch {
    struct session_batch *next;
    struct arena mem;
    struct msg_metrics metrics;
    int64_t due_ms;
};

struct session_run {
    struct session_run *next; /* in the list of the session */
    struct session_run
        *next_alike; /* of those that session.c finds by the same place */
    struct msg_run run;
    bool ended; /* process over, slot free */

    struct arena started_mem;
    struct msg_started started;
    int64_t started_due_ms;

    bool has_progress;
    struct msg_progress progress;

    struct session_batch *batches; /* oldest first; the last may still be filled */
    size_t n_batches;
    int64_t next_seq;
    bool lost_points;

    struct arena checkpoint_mem;
    struct msg_checkpoint checkpoint;
    int64_t checkpoint_due_ms;
    int64_t checkpoint_after; /* batches up to this one must be acknowledged before */

    struct arena result_mem;
    struct msg_result result;
    int64_t result_due_ms;
};

struct session_run *session_run_new(struct msg_run run);
void session_run_free(struct session_run *r);

/* All items leave again at once: a new session has begun. */
void session_run_rewind(struct session_run *r);

/* Adds points to the last batch, or to a new one that leaves after delay_ms. */
void session_run_add_points(struct session_run *r, const struct msg_point *points,
                            size_t n, int64_t now_ms, int64_t delay_ms);

/* The last batch takes no more points and leaves at once. Returns its number, that of
 * the one before if there is none, 0 when there never was one. */
int64_t session_run_close_batch(struct session_run *r);

/* A batch of an earlier agent, with the number that it had; copied. */
void session_run_take_batch(struct session_run *r, const struct msg_metrics *batch);

/* Forgets an acknowledged batch. */
void session_run_drop_batch(struct session_run *r, int64_t seq);

/* The first item that is due, as a message that borrows from the run; false when there
 * is none. *due points to the time to be moved when it was sent. */
bool session_run_next(struct session_run *r, int64_t session, int64_t now_ms,
                      struct msg *out, int64_t **due);

/* When session_run_next wants to be asked again. */
int64_t session_run_due_ms(const struct session_run *r);

#endif
