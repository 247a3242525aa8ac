#ifndef WORKER_AGENT_SAVER_H
#define WORKER_AGENT_SAVER_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/agent/blobs.h"
#include "worker/agent/session.h"

/*
 * The checkpoints of one run on their way to the coordinator: one is stored and
 * acknowledged at a time, the newest waits behind it and replaces an older one that
 * waits. A file is deleted when its checkpoint is committed or replaced. Initialise with
 * {0}.
 */
struct saver_file {
    int64_t step;
    char *path; /* NULL: none */
};

struct saver {
    struct saver_file now, next;
    struct blob *put; /* of `now`; NULL once it is stored */
    int64_t retry_ms; /* after a failure: not before */
    int failures;
};

void saver_release(struct saver *v, struct blobs *b);

/* A complete checkpoint lies at `path`; copied. */
void saver_add(struct saver *v, int64_t step, const char *path);

/* Moves uploads on. */
void saver_step(struct saver *v, struct blobs *b, struct session *s, struct msg_run run,
                int64_t now_ms);

/* CHECKPOINT was acknowledged; or the coordinator lacks the blob: once more. */
void saver_committed(struct saver *v, int64_t step);
void saver_missing(struct saver *v);

/* Nothing is under way. */
bool saver_is_idle(const struct saver *v);

#endif
