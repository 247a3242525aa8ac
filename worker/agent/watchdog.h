#ifndef WORKER_AGENT_WATCHDOG_H
#define WORKER_AGENT_WATCHDOG_H

#include <stdint.h>

/* How long an attempt may run, and how long without getting on. Pure; times are monotonic
 * milliseconds, a limit of 0 is none. */
struct watchdog {
    int64_t timeout_s, stall_s;
    int64_t started_ms, moved_ms;
    int64_t epoch, step; /* where it was last */
};

void watchdog_start(struct watchdog *w, int64_t now_ms);

/* It said where it is; the same place again is no progress. */
void watchdog_progress(struct watchdog *w, int64_t epoch, int64_t step, int64_t now_ms);

/* It did something else that shows that it gets on. */
void watchdog_moved(struct watchdog *w, int64_t now_ms);

enum watchdog_verdict { WATCHDOG_FINE, WATCHDOG_TIMEOUT, WATCHDOG_STALLED };
enum watchdog_verdict watchdog_look(const struct watchdog *w, int64_t now_ms);

#endif
