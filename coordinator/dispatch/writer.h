#ifndef COORDINATOR_DISPATCH_WRITER_H
#define COORDINATOR_DISPATCH_WRITER_H

#include <stdbool.h>

#include "shared/base/err.h"

/*
 * A thread that does one task at a time for the loop, so that the loop goes on hearing
 * and speaking to workers while the database takes its time or does not answer at all.
 * What a task works on belongs to the thread from writer_run until writer_take.
 */
struct writer;

typedef int writer_fn(void *ctx, struct err *err);

MUST_CHECK int writer_start(struct writer **out, struct err *err);

/* Waits for the task that runs. Accepts NULL. */
void writer_stop(struct writer *w);

/* Begins a task; there must be none. */
void writer_run(struct writer *w, writer_fn *fn, void *ctx);

/* A task was begun and its result was not taken yet. */
bool writer_busy(const struct writer *w);

/* Readable when the task is over. */
int writer_fd(const struct writer *w);

/* True when the task is over: *rc and *err are what it returned, and it is forgotten. */
bool writer_take(struct writer *w, int *rc, struct err *err);

#endif
