#ifndef WORKER_AGENT_SESSION_H
#define WORKER_AGENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/wire/msg.h"

/*
 * The worker's side of the protocol on the control socket (shared/wire/PROTOCOL.md), pure:
 * messages, local events and the time come in, calls of the table below go out; no
 * socket, no clock, no process. It says HELLO until it is welcome, tells what runs and
 * what waits, keeps everything that must be acknowledged until it is, and looks for
 * another coordinator when this one is silent for a lease.
 *
 * All times are monotonic milliseconds.
 */
struct session;

struct session_identity {
    const char *name, *boot, *host, *version, *catalog; /* borrowed, must outlive it */
    int64_t slots, threads;
    int64_t memory_bytes;         /* of all jobs together */
    const char *labels, *backend; /* borrowed; see HELLO */
    bool has_spare;               /* there is another endpoint to try */
};

/* What the session wants done. Called from within session_message and session_tick; may
 * call back into the functions below, except session_message and session_tick. */
struct session_io {
    void *ctx;
    /* 0 sent, 1 not now */
    int (*send)(void *ctx, const struct msg *m);
    /* drop the connection and try the next endpoint */
    void (*reconnect)(void *ctx);
    /* a session began; this is the bulk socket */
    void (*welcome)(void *ctx, const char *bulk);
    /* run this job; session_run_* calls follow */
    void (*grant)(void *ctx, const struct msg_grant *g);
    void (*cancel)(void *ctx, struct msg_run run, bool hard, const char *reason);
    /* not ours any more: kill it, leave no trace; the session has forgotten it */
    void (*drop)(void *ctx, struct msg_run run);
    /* the checkpoint of that step is committed (or will never be) */
    void (*checkpointed)(void *ctx, struct msg_run run, int64_t step);
    /* the result is committed; the session has forgotten the run */
    void (*settled)(void *ctx, struct msg_run run);
    /* store this blob again, then hand the result or checkpoint in again */
    void (*missing)(void *ctx, struct msg_run run, const char *what, const char *sha);
    /* the coordinator will never take this worker */
    void (*refused)(void *ctx, const char *text);
};

struct session *session_new(const struct session_identity *who,
                            const struct session_io *io, int64_t now_ms);
void session_free(struct session *s);

void session_message(struct session *s, const struct msg *m, int64_t now_ms);

/* Sends what is due. Call it after every round of events, and at session_next_ms. */
void session_tick(struct session *s, int64_t now_ms);
int64_t session_next_ms(const struct session *s);

bool session_is_up(const struct session *s);

/* A result from an earlier life of this worker, announced as held. */
void session_run_add_held(struct session *s, struct msg_run run);

/* Points that it left unacknowledged; copied. In ascending order of `seq`. */
void session_run_restore(struct session *s, struct msg_run run,
                         const struct msg_metrics *batch);

/* The process of the run has begun to work. */
void session_run_started(struct session *s, struct msg_run run, int64_t pid,
                         const char *provenance);
void session_run_progress(struct session *s, const struct msg_progress *p);

/* Points of curves; copied. They leave in batches. */
void session_run_metrics(struct session *s, struct msg_run run,
                         const struct msg_point *points, size_t n, int64_t now_ms);

/* Sends a piece of log now: 0, or 1 when it could not be sent. */
int session_run_log(struct session *s, struct msg_run run, int64_t offset,
                    const char *text);

/* A checkpoint whose blob is stored; replaces an older one that is not acknowledged. */
void session_run_checkpoint(struct session *s, struct msg_run run, int64_t step,
                            const char *sha, int64_t size);

/* The process is over and its slot is free; its result is being prepared. */
void session_run_ended(struct session *s, struct msg_run run);

/* Batch i of the points that are not acknowledged, oldest first, once the process is
 * over; NULL at their end. Borrowed until the next call of any of these. */
const struct msg_metrics *session_run_batch(const struct session *s, struct msg_run run,
                                            size_t i);

/* The result; artifacts are stored. Copied. It leaves when all metrics are acknowledged,
 * and again until it is acknowledged itself. */
void session_run_result(struct session *s, const struct msg_result *r);

/* The run goes back without a result (session_bye names it). */
void session_run_forget(struct session *s, struct msg_run run);

/* At most n jobs at once for now, of the slots that it has. */
void session_limit(struct session *s, int64_t n);

/* No more jobs. */
void session_drain(struct session *s);

/* The last message. 0 sent. */
int session_bye(struct session *s, const char *reason, struct msg_run *returned,
                size_t n);

#endif
