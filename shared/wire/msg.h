#ifndef SHARED_WIRE_MSG_H
#define SHARED_WIRE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

/*
 * The messages between worker agents and the coordinator: one message = one struct, one
 * encode, one decode, one row in the table of msg.c. PROTOCOL.md states the rules in
 * prose. On the wire a message is one ZeroMQ frame holding one msgpack array
 * [protocol, type, field, field, ...]; newer peers may append fields, which are skipped;
 * missing trailing fields read as zero. Everything received is bounded: the frame by
 * MSG_MAX_BYTES, items and depth by the pre-scan.
 */
enum {
    MSG_PROTOCOL = 1,
    MSG_MAX_BYTES = 2 << 20,
    MSG_CHUNK_BYTES = 1 << 20, /* of an artifact */
    MSG_BULK_CREDIT = 16,      /* chunks under way for one transfer */
    MSG_MAX_POINTS = 4096,     /* in one message */
    MSG_MAX_ARTIFACTS = 256,
    MSG_MAX_LOG = 64 << 10, /* bytes of one piece */
};

/* id, name, direction (for people) */
#define MSG_TYPES(X)                                                     \
    /* control socket */                                                 \
    X(MSG_HELLO, hello, "worker -> coordinator")                         \
    X(MSG_WELCOME, welcome, "coordinator -> worker")                     \
    X(MSG_READY, ready, "worker -> coordinator")                         \
    X(MSG_GRANT, grant, "coordinator -> worker")                         \
    X(MSG_STARTED, started, "worker -> coordinator")                     \
    X(MSG_HEARTBEAT, heartbeat, "both")                                  \
    X(MSG_METRICS, metrics, "worker -> coordinator")                     \
    X(MSG_LOG, log, "worker -> coordinator")                             \
    X(MSG_CHECKPOINT, checkpoint, "worker -> coordinator")               \
    X(MSG_RESULT, result, "worker -> coordinator")                       \
    X(MSG_ACK, ack, "coordinator -> worker")                             \
    X(MSG_CANCEL, cancel, "coordinator -> worker")                       \
    X(MSG_BYE, bye, "worker -> coordinator")                             \
    X(MSG_REJECT, reject, "coordinator -> worker")                       \
    /* bulk socket */                                                    \
    X(MSG_PUT, put, "worker -> coordinator: may I send this blob?")      \
    X(MSG_PUT_STATE, put_state, "coordinator -> worker: send from here") \
    X(MSG_CHUNK, chunk, "both: a piece of a blob")                       \
    X(MSG_GET, get, "worker -> coordinator: send me this piece of a blob")

#define AS_ENUM(id, name, who) id,
enum msg_type { MSG_NONE, MSG_TYPES(AS_ENUM) MSG_TYPE_COUNT };
#undef AS_ENUM

/* One attempt of one job; the pair that every write is fenced by. */
struct msg_run {
    int64_t job;
    int64_t attempt;
};

/* First on every connection, and again after REJECT "who-are-you". */
struct msg_hello {
    const char *name; /* for people; need not be unique */
    const char *boot; /* random, new with each agent process */
    const char *host;
    const char *version;     /* RELUSWEEP_VERSION */
    const char *catalog;     /* JSON text, shared/spec/catalog.h */
    int64_t slots;           /* jobs at once */
    int64_t threads;         /* of each job */
    struct msg_run *running; /* attempts whose process lives */
    size_t n_running;
    struct msg_run *held; /* attempts whose result waits for an ACK */
    size_t n_held;
    int64_t memory_bytes; /* that all its jobs may use; 0: not known */
    const char *labels;   /* words with commas between */
    const char *backend;  /* of the engine */
};

struct msg_welcome {
    int64_t session;
    int64_t heartbeat_ms;
    int64_t lease_ms;
    const char *bulk;     /* endpoint of the bulk socket */
    struct msg_run *kill; /* running attempts that are no longer current */
    size_t n_kill;
    int64_t word_ms; /* the coordinator is never silent for longer; 0: heartbeat_ms */
};

/* Credit: the agent has `free` slots now. Sent after WELCOME, and whenever it changes. */
struct msg_ready {
    int64_t session;
    int64_t free;
};

/* A parent's artifact that the stage reads. */
struct msg_input {
    const char *stage; /* "teacher" */
    const char *name;  /* "model" */
    const char *sha;
    int64_t size;
};

struct msg_grant {
    struct msg_run run;
    const char *spec;   /* JSON text, shared/spec/job.h */
    const char *digest; /* of the spec */
    struct msg_input *inputs;
    size_t n_inputs;
    const char *resume_sha; /* "" or the checkpoint to go on from */
    int64_t resume_size;
    int64_t resume_step;
    int64_t timeout_s; /* ends it so long after its start; 0: never */
    int64_t stall_s;   /* ends it after so long without progress; 0: never */
};

struct msg_started {
    int64_t session;
    struct msg_run run;
    int64_t pid;
    const char *provenance; /* JSON: host, versions, numerics profile, threads */
};

struct msg_progress {
    struct msg_run run;
    int64_t epoch, epochs; /* 1-based; 0/0 where a stage has none */
    int64_t step, steps;   /* within the whole stage */
    double images_per_second;
    double loss;
    double seconds_left; /* < 0: not known yet */
};

/* Any message counts as a sign of life; this one is sent when there is no other. From
 * the coordinator it carries the session, and in `progress` only runs of which nothing
 * was told in it: a worker that does not know one of them says HELLO. Never touches the
 * database. */
struct msg_heartbeat {
    int64_t session;
    struct msg_progress *progress;
    size_t n_progress;
    int64_t heartbeat_ms, word_ms; /* coordinator: from now on; 0: as before */
};

struct msg_point {
    const char *name;
    int64_t step; /* -1: final */
    double value;
    const char *unit;
    const char *goal; /* "none", "max", "min" */
};

/* Points of curves. `seq` counts the batches of one attempt from 1; acknowledged by
 * seq after commit, deduplicated by (job, attempt, seq). */
struct msg_metrics {
    int64_t session;
    struct msg_run run;
    int64_t seq;
    struct msg_point *points;
    size_t n_points;
};

/* A piece of the stage's stderr, valid UTF-8, at most 64 KiB. `offset` is its place in
 * the attempt's log, so that a repeat is harmless. */
struct msg_log {
    int64_t session;
    struct msg_run run;
    int64_t offset;
    const char *text;
};

/* The blob is already stored (bulk socket); moves the job's checkpoint pointer. */
struct msg_checkpoint {
    int64_t session;
    struct msg_run run;
    int64_t step;
    const char *sha;
    int64_t size;
};

struct msg_artifact {
    const char *name; /* "model"; matches [A-Za-z0-9._-]{1,128} */
    const char *sha;
    int64_t size;
};

/* The end of an attempt. Sent again until acknowledged, also after restarts. */
struct msg_result {
    int64_t session;
    struct msg_run run;
    const char *outcome; /* "ok" or an enum err_kind name, or "signal", "timeout" */
    const char *text;    /* error text for people, "" when ok */
    int64_t exit_code, signal;
    double seconds;
    int64_t peak_rss_bytes;
    struct msg_point *finals;
    size_t n_finals;
    struct msg_artifact *artifacts;
    size_t n_artifacts;
};

/* what: "started", "metrics", "checkpoint", "result". disposition: "committed",
 * "duplicate" (already so), "fenced" (not the current attempt: stop it, drop the
 * result), "missing" (an artifact's blob is not stored: send it again). */
struct msg_ack {
    struct msg_run run;
    const char *what;
    int64_t seq; /* of METRICS; step of CHECKPOINT */
    const char *disposition;
    const char *detail; /* the sha that is missing, or a sentence */
};

struct msg_cancel {
    struct msg_run run;
    bool hard; /* false: checkpoint first */
    const char *reason;
};

/* The worker leaves; its runs are handed back without being charged an attempt. */
struct msg_bye {
    int64_t session;
    const char *reason;
    struct msg_run *returned; /* stopped with their checkpoint stored */
    size_t n_returned;
};

/* code: "who-are-you" (send HELLO), "version", "malformed", "unknown-type",
 * "refused". */
struct msg_reject {
    const char *code;
    const char *text;
};

struct msg_put {
    const char *sha;
    int64_t size;
};

/* offset == size: the blob is stored and verified. offset < 0: refused, see text. */
struct msg_put_state {
    const char *sha;
    int64_t offset;
    const char *text;
};

struct msg_chunk {
    const char *sha;
    int64_t offset;
    int64_t size; /* of the whole blob; < 0: not stored */
    const void *data;
    size_t data_size; /* <= MSG_CHUNK_BYTES */
};

struct msg_get {
    const char *sha;
    int64_t offset;
};

struct msg {
    enum msg_type type;
    union {
#define AS_MEMBER(id, name, who) struct msg_##name name;
        MSG_TYPES(AS_MEMBER)
#undef AS_MEMBER
    } u;
};

/* Appends the frame's bytes to `out`. NULL strings are written as "". */
void msg_encode(struct buf *out, const struct msg *m);

/* Decodes one frame. Strings are NUL-terminated; they and the arrays live in `mem`
 * (arena), so the frame may be freed. ERR_DATA for malformed bytes, ERR_REFUSED for
 * another protocol; an unknown type gives 0 with type MSG_NONE. */
struct arena;
MUST_CHECK int msg_decode(struct msg *out, struct arena *mem, const void *frame,
                          size_t size, struct err *err);

const char *msg_type_name(enum msg_type type);

#endif
