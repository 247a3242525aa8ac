/* watchdog.c - stages that run too long, and stages that are stuck. */
#include "worker/agent/watchdog.h"

void
watchdog_start(struct watchdog *w, int64_t now_ms)
{
    w->started_ms = w->moved_ms = now_ms;
    w->epoch = w->step = -1;
}

void
watchdog_progress(struct watchdog *w, int64_t epoch, int64_t step, int64_t now_ms)
{
    if (epoch != w->epoch || step != w->step)
        w->moved_ms = now_ms;
    w->epoch = epoch;
    w->step = step;
}

void
watchdog_moved(struct watchdog *w, int64_t now_ms)
{
    w->moved_ms = now_ms;
}

enum watchdog_verdict
watchdog_look(const struct watchdog *w, int64_t now_ms)
{
    if (w->timeout_s > 0 && (now_ms - w->started_ms) / 1000 >= w->timeout_s)
        return WATCHDOG_TIMEOUT;
    if (w->stall_s > 0 && (now_ms - w->moved_ms) / 1000 >= w->stall_s)
        return WATCHDOG_STALLED;
    return WATCHDOG_FINE;
}
