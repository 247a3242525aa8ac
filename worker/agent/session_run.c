/*
 * session_run.c - the unacknowledged items of one run. Invariant: an item is freed only
 * by its acknowledgement or with the run. The order is that of the protocol: STARTED,
 * METRICS, CHECKPOINT when the points before it are acknowledged, and RESULT when nothing
 * else is left.
 */
#include "worker/agent/session_run.h"

#include <inttypes.h>
#include <stdlib.h>

#include "shared/base/log.h"
#include "shared/base/moment.h"

enum {
    MAX_BATCHES = 1024, /* kept while the coordinator is away */
    MAX_UNDERWAY = 16,  /* batches sent and not acknowledged */
};

static const int64_t never = INT64_MAX;

struct session_run *
session_run_new(struct msg_run run)
{
    struct session_run *r = xcalloc(1, sizeof *r);

    *r = (struct session_run){.run = run,
                              .next_seq = 1,
                              .started_due_ms = never,
                              .checkpoint_due_ms = never,
                              .result_due_ms = never};
    return r;
}

static void
free_batch(struct session_batch *b)
{
    arena_release(&b->mem);
    free(b);
}

void
session_run_free(struct session_run *r)
{
    while (r->batches != NULL) {
        struct session_batch *next = r->batches->next;
        free_batch(r->batches);
        r->batches = next;
    }
    arena_release(&r->started_mem);
    arena_release(&r->checkpoint_mem);
    arena_release(&r->result_mem);
    free(r);
}

static void
again(int64_t *due_ms)
{
    if (*due_ms != never)
        *due_ms = 0;
}

void
session_run_rewind(struct session_run *r)
{
    again(&r->started_due_ms);
    again(&r->checkpoint_due_ms);
    again(&r->result_due_ms);
    for (struct session_batch *b = r->batches; b != NULL; b = b->next)
        again(&b->due_ms);
}

/* ---- metrics ---------------------------------------------------------------------- */

static struct session_batch *
last_batch(const struct session_run *r)
{
    struct session_batch *b = r->batches;

    while (b != NULL && b->next != NULL)
        b = b->next;
    return b;
}

static struct session_batch *
add_batch(struct session_run *r, int64_t due_ms)
{
    struct session_batch *b = xcalloc(1, sizeof *b), *last = last_batch(r);

    b->due_ms = due_ms;
    b->metrics.run = r->run;
    b->metrics.points =
        arena_alloc(&b->mem, SESSION_BATCH_POINTS * sizeof *b->metrics.points);
    if (last != NULL)
        last->next = b;
    else
        r->batches = b;
    r->n_batches++;
    return b;
}

/* The batch that takes one more point, NULL when there are too many. A batch that was
 * sent has its number and takes no more. */
static struct session_batch *
open_batch(struct session_run *r, int64_t due_ms)
{
    struct session_batch *b = last_batch(r);

    if (b != NULL && b->metrics.seq == 0 && b->metrics.n_points < SESSION_BATCH_POINTS)
        return b;
    if (r->n_batches < MAX_BATCHES)
        return add_batch(r, due_ms);
    if (!r->lost_points)
        log_warn("session", "job=%" PRId64 " attempt=%" PRId64 " event=points-lost",
                 r->run.job, r->run.attempt);
    r->lost_points = true;
    return NULL;
}

static void
add_point(struct session_batch *b, const struct msg_point *point)
{
    struct msg_point *p = &b->metrics.points[b->metrics.n_points++];

    *p = *point;
    p->name = arena_strdup(&b->mem, point->name);
    p->unit = arena_strdup(&b->mem, point->unit);
    p->goal = arena_strdup(&b->mem, point->goal);
}

void
session_run_add_points(struct session_run *r, const struct msg_point *points, size_t n,
                       int64_t now_ms, int64_t delay_ms)
{
    for (size_t i = 0; i < n; i++) {
        struct session_batch *b = open_batch(r, now_ms + delay_ms);
        if (b == NULL)
            return;
        add_point(b, &points[i]);
        if (b->metrics.n_points == SESSION_BATCH_POINTS)
            b->due_ms = now_ms;
    }
}

/* Numbers are given in the order of the list; batches with one take no more points. */
static void
number_batches(struct session_run *r, const struct session_batch *last)
{
    for (struct session_batch *b = r->batches; b != NULL; b = b->next) {
        if (b->metrics.seq == 0)
            b->metrics.seq = r->next_seq++;
        if (b == last)
            break;
    }
}

int64_t
session_run_close_batch(struct session_run *r)
{
    struct session_batch *last = last_batch(r);

    if (last != NULL && last->metrics.seq == 0)
        last->due_ms = 0;
    number_batches(r, last);
    return r->next_seq - 1;
}

void
session_run_take_batch(struct session_run *r, const struct msg_metrics *batch)
{
    if (batch->seq < r->next_seq || r->n_batches == MAX_BATCHES)
        return; /* there, or a file that we did not write */
    struct session_batch *b = add_batch(r, 0);
    b->metrics.seq = batch->seq;
    r->next_seq = batch->seq + 1;
    for (size_t i = 0; i < batch->n_points && i < SESSION_BATCH_POINTS; i++)
        add_point(b, &batch->points[i]);
}

void
session_run_drop_batch(struct session_run *r, int64_t seq)
{
    for (struct session_batch **at = &r->batches; *at != NULL; at = &(*at)->next) {
        struct session_batch *b = *at;
        if (b->metrics.seq != seq)
            continue;
        *at = b->next;
        free_batch(b);
        r->n_batches--;
        return;
    }
}

/* The first batch that is due among those that may be under way. */
static struct session_batch *
due_batch(const struct session_run *r, int64_t now_ms)
{
    struct session_batch *b = r->batches;

    for (int i = 0; b != NULL && i < MAX_UNDERWAY; i++, b = b->next)
        if (b->due_ms <= now_ms)
            return b;
    return NULL;
}

/* ---- what is due ------------------------------------------------------------------ */

/* A checkpoint tells the next attempt to go on from there: it must not overtake what was
 * measured before it. */
static bool
checkpoint_may_leave(const struct session_run *r)
{
    const struct session_batch *b = r->batches;

    return b == NULL || b->metrics.seq == 0 || b->metrics.seq > r->checkpoint_after;
}

bool
session_run_next(struct session_run *r, int64_t session, int64_t now_ms,
                 struct msg *out, int64_t **due)
{
    struct session_batch *b = due_batch(r, now_ms);

    if (r->started_due_ms <= now_ms) {
        *out = (struct msg){MSG_STARTED, .u.started = r->started};
        out->u.started.session = session;
        *due = &r->started_due_ms;
    } else if (b != NULL) {
        number_batches(r, b);
        *out = (struct msg){MSG_METRICS, .u.metrics = b->metrics};
        out->u.metrics.session = session;
        *due = &b->due_ms;
    } else if (r->checkpoint_due_ms <= now_ms && checkpoint_may_leave(r)) {
        *out = (struct msg){MSG_CHECKPOINT, .u.checkpoint = r->checkpoint};
        out->u.checkpoint.session = session;
        *due = &r->checkpoint_due_ms;
    } else if (r->result_due_ms <= now_ms && r->batches == NULL
               && r->checkpoint_due_ms == never) {
        *out = (struct msg){MSG_RESULT, .u.result = r->result};
        out->u.result.session = session;
        *due = &r->result_due_ms;
    } else {
        return false;
    }
    return true;
}

int64_t
session_run_due_ms(const struct session_run *r)
{
    int64_t at = r->started_due_ms;
    const struct session_batch *b = r->batches;

    if (checkpoint_may_leave(r))
        at = moment_earlier(at, r->checkpoint_due_ms);

    for (int i = 0; b != NULL && i < MAX_UNDERWAY; i++, b = b->next)
        at = moment_earlier(at, b->due_ms);
    if (r->batches == NULL && r->checkpoint_due_ms == never)
        at = moment_earlier(at, r->result_due_ms);
    return at;
}
