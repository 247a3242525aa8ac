/*
 * latency.c - when jobs were submitted, when that was committed and when they began, all by
 * the monotonic clock of this machine. After each a row alone is committed, which shows
 * what the disk does meanwhile. Must not know why somebody asks.
 */
#include "coordinator/cli/latency.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/drill.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

enum { PAUSE_MS = 2 };

/* Moments of one job in nanoseconds. */
struct submission {
    int64_t job, call, done, touch, touched, start;
};

struct latency {
    struct submission *sent; /* by job, as numbers ascend */
    size_t n, capacity;
};

struct latency *
latency_new(void)
{
    return xcalloc(1, sizeof(struct latency));
}

void
latency_free(struct latency *l)
{
    if (l == NULL)
        return;
    free(l->sent);
    free(l);
}

int64_t
latency_count(const struct latency *l)
{
    return (int64_t)l->n;
}

/* ---- submitting ------------------------------------------------------------------- */

int
latency_wait(struct local *programs, struct db *db, int64_t job, int64_t pause,
             struct err *err)
{
    for (bool done = false;;) {
        if (local_tend(programs, err) != 0 || db_drill_done(db, job, &done, err) != 0)
            return -1;
        if (done)
            return 0;
        clock_pause_ms(pause);
    }
}

/* Borrowed until the next one; NULL after an error. */
static struct submission *
submit(struct latency *l, struct db *db, int64_t priority, struct err *err)
{
    struct submission s = {.call = clock_mono_ns()};

    if (db_drill_add(db, 1, priority, &s.job, err) != 0)
        return NULL;
    s.done = clock_mono_ns();
    l->sent = xgrow(l->sent, &l->capacity, l->n + 1, sizeof *l->sent);
    l->sent[l->n] = s;
    return &l->sent[l->n++];
}

static int
touch(struct db *db, struct submission *s, struct err *err)
{
    s->touch = clock_mono_ns();
    if (db_drill_touch(db, err) != 0)
        return -1;
    s->touched = clock_mono_ns();
    return 0;
}

int
latency_submit(struct latency *l, struct local *programs, struct db *db, int64_t n,
               int64_t ahead, struct err *err)
{
    bool over = false;

    for (int64_t i = 0; i < n && !over; i++) {
        struct submission *s = submit(l, db, ahead > 0, err);
        if (s == NULL || latency_wait(programs, db, s->job, 1, err) != 0)
            return -1;
        clock_pause_ms(PAUSE_MS);
        if (touch(db, s, err) != 0
            || (ahead > 0 && db_drill_done(db, ahead, &over, err) != 0))
            return -1;
        clock_pause_ms(PAUSE_MS);
    }
    return 0;
}

/* ---- results ---------------------------------------------------------------------- */

static int
by_job(const void *a, const void *b)
{
    const struct submission *x = a, *y = b;

    return (x->job > y->job) - (x->job < y->job);
}

static void
take_starts(const struct latency *l, const struct buf *rows)
{
    for (size_t at = 0; at + 16 <= rows->len; at += 16) {
        int64_t row[2]; /* job, moment */
        memcpy(row, rows->data + at, sizeof row);
        const struct submission key = {.job = row[0]};
        struct submission *s = bsearch(&key, l->sent, l->n, sizeof key, by_job);
        if (s != NULL)
            s->start = row[1];
    }
}

static int
read_starts(const struct latency *l, const char *dir, int64_t workers, struct err *err)
{
    int rc = 0;

    for (int64_t i = 0; rc == 0 && i < workers; i++) {
        char *path = xasprintf("%s/noop-%" PRId64 ".starts", dir, i);
        struct buf rows = {0};
        rc = file_read(&rows, path, err);
        take_starts(l, &rows);
        buf_release(&rows);
        free(path);
    }
    for (size_t i = 0; rc == 0 && i < l->n; i++)
        if (l->sent[i].start == 0)
            rc = err_set(err, ERR_BUG, "the start of job %" PRId64 " was not seen",
                         l->sent[i].job);
    return rc;
}

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* from, to: where in a submission the two moments are. */
static struct percentiles
percentiles_of(const struct latency *l, size_t from, size_t to)
{
    double *ms = xcalloc(l->n + 1, sizeof *ms);

    for (size_t i = 0; i < l->n; i++) {
        const char *s = (const char *)&l->sent[i];
        const int64_t *begin = (const int64_t *)(s + from);
        ms[i] = (double)(*(const int64_t *)(s + to) - *begin) / 1e6;
    }
    qsort(ms, l->n, sizeof *ms, by_size);
    const struct percentiles p = {ms[l->n / 2], ms[l->n * 99 / 100]};
    free(ms);
    return p;
}

int
latency_read(const struct latency *l, const char *dir, int64_t workers,
             struct latency_result *out, struct err *err)
{
    if (read_starts(l, dir, workers, err) != 0)
        return -1;
#define BETWEEN(a, b) \
    percentiles_of(l, offsetof(struct submission, a), offsetof(struct submission, b))
    *out = (struct latency_result){.call = BETWEEN(call, start),
                                   .done = BETWEEN(done, start),
                                   .commit = BETWEEN(touch, touched)};
#undef BETWEEN
    return 0;
}
