/*
 * coordinator.c - the life of coordinators: the real dispatcher, round by round, and what
 * it stands on besides sockets and tables: the writer's thread, the clock, the log, the
 * bulk side. A task of the writer is one event, at which the database sees all of it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/dispatch/dispatcher.h"
#include "coordinator/dispatch/dispatcher_impl.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "tests/sim/model.h"

enum { TICK_MS = 200 };

static struct dispatcher *dispatchers[N_COORDINATORS];

/* ---- writer.h ---------------------------------------------------------------------- */

struct writer {
    int coordinator;
    writer_fn *fn; /* NULL: done */
    void *ctx;
    bool busy;
    int rc;
    struct err err;
};

static struct writer writers[N_COORDINATORS];

int
writer_start(struct writer **out, struct err *err)
{
    (void)err;
    *out = &writers[world.running];
    **out = (struct writer){.coordinator = world.running};
    return 0;
}

void
writer_stop(struct writer *w)
{
    (void)w;
}

void
writer_run(struct writer *w, writer_fn *fn, void *ctx)
{
    w->fn = fn;
    w->ctx = ctx;
    w->busy = true;
    world_at(world.now_ms + 1 + world_random(world_fault(30) ? 800 : 6), TASK,
             w->coordinator);
}

bool
writer_busy(const struct writer *w)
{
    return w->busy;
}

int
writer_fd(const struct writer *w)
{
    (void)w;
    return -1;
}

bool
writer_take(struct writer *w, int *rc, struct err *err)
{
    if (!w->busy || w->fn != NULL)
        return false;
    w->busy = false;
    *rc = w->rc;
    *err = w->err;
    return true;
}

/* ---- clock.h, log.h, store.h --------------------------------------------------------- */

int64_t
clock_mono_ms(void)
{
    return world.now_ms + (world.running < 0 ? 0 : world.nodes[world.running].clock_ms);
}

double
clock_mono_s(void)
{
    return (double)clock_mono_ms() / 1000;
}

void
log_line(enum log_level level, const char *module, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    if (!world.trace)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    world_trace("%s %s: %s", level >= LOG_WARN ? "!" : ".", module, text);
}

const char *
store_endpoint(const struct store *s)
{
    (void)s;
    return "ipc:///bulk";
}

void
store_set_epoch(struct store *s, int64_t epoch)
{
    (void)s;
    (void)epoch;
}

/* ---- life ---------------------------------------------------------------------------- */

void
coordinator_start(int c)
{
    const struct dispatcher_config config = {.database = "",
                                             .lease_ms = LEASE_MS,
                                             .heartbeat_ms = BEAT_MS,
                                             .control = net_sock(c),
                                             .ready_file = "",
                                             .ready_text = "",
                                             .stop_fd = -1};
    struct err err;

    world.running = c;
    world.nodes[c].life++;
    net_reconnect_all(c);
    if (dispatcher_new(&dispatchers[c], &config, &err)
        != 0) { /* its supervisor: again */
        world_wake(c, world.now_ms + 500);
        return;
    }
    world.nodes[c].up = true;
    dispatchers[c]->round_ms = clock_mono_ms();
    TRACE("started");
    world_wake(c, world.now_ms);
}

void
coordinator_crash(int c)
{
    world.running = c;
    TRACE("killed");
    if (writers[c].busy && writers[c].fn != NULL && world_random(2) == 0)
        writers[c].rc =
            writers[c].fn(writers[c].ctx, &writers[c].err); /* it was sent */
    dispatcher_free(dispatchers[c]);
    dispatchers[c] = NULL;
    writers[c] = (struct writer){.coordinator = c};
    world.nodes[c].up = false;
}

/* What the kernel would tell about the connection to the database. */
static void
take_notes(struct dispatcher *d)
{
    if (!d->leads || writer_busy(d->writer))
        return;
    if (!model_serves(d->pg) && !world_fault(500))
        d->must_look = true;
    else if (model_notes.look || model_notes.n > 0)
        task_hear(d, clock_mono_ms());
}

void
coordinator_wake(int c)
{
    struct dispatcher *d = dispatchers[c];
    struct err err;

    if (d == NULL) {
        coordinator_start(c);
        return;
    }
    world.running = c;
    take_notes(d);
    if (dispatcher_round(d, &err) != 0) {
        TRACE("ends: %s", err.text);
        coordinator_crash(c);
        world_wake(c, world.now_ms + 200);
        return;
    }
    check_memory(c);
    world_wake(c, world.now_ms + 1 + world_random(TICK_MS));
}

void
coordinator_task(int c)
{
    struct writer *w = &writers[c];

    if (!w->busy || w->fn == NULL)
        return; /* of an earlier life */
    world.running = c;
    w->rc = w->fn(w->ctx, &w->err);
    w->fn = NULL;
    world_wake(c, world.now_ms + (world_fault(100) ? world_random(100) : 0));
}

/* ---- looking ------------------------------------------------------------------------- */

bool
coordinator_leads(int c)
{
    return dispatchers[c] != NULL && dispatchers[c]->leads;
}

bool
coordinator_is_idle(int c)
{
    const struct dispatcher *d = dispatchers[c];

    return d != NULL && d->leads && model_serves(d->pg) && d->task == NULL
           && d->batch.n == 0 && d->n_doubtful == 0 && !d->must_sync && !d->must_look
           && !model_notes.look && model_notes.n == 0;
}

int64_t
coordinator_leases(int c)
{
    return (int64_t)core_count(dispatchers[c]->core).leases;
}

bool
coordinator_over_slots(int c)
{
    const struct dispatcher *d = dispatchers[c];
    const struct session *s;

    for (size_t at = 0;
         d->core != NULL && (s = core_next_session(d->core, &at)) != NULL;)
        if (s->leases > s->slots)
            return true;
    return false;
}
