#ifndef WORKER_ENGINE_TEAM_H
#define WORKER_ENGINE_TEAM_H

#include <stdint.h>

/*
 * A team of threads that shares out numbered tasks. The number of tasks and what each
 * one computes must never depend on the number of threads: that is what makes results
 * equal bit for bit on 1, 2 or 16 threads. Library kernels (oneDNN, BLAS) are called
 * inside a task and run on that one thread.
 */
struct team;

/* threads >= 1, the caller counts as one. NULL when threads cannot be made. */
struct team *team_new(int threads);
void team_free(struct team *t);
int team_threads(const struct team *t);

/* From the next run on only the first *limit threads work (values outside 1..threads are
 * cut to that). The number is read at every run, so another process that shares the
 * memory can change it at any time; results stay the same. Borrowed; NULL: all work. */
void team_limit(struct team *t, const _Atomic int32_t *limit);

/* Calls fn(ctx, task, thread) for every task in [0, n), thread in [0, threads). Returns
 * when all are done. Not reentrant. */
typedef void team_fn(void *ctx, int64_t task, int thread);
void team_run(struct team *t, int64_t n, team_fn *fn, void *ctx);

#endif
