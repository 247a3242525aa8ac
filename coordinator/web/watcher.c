/*
 * watcher.c - looking for changes. Invariant: the number of the news grows, also across
 * restarts of the program, so that a client's last number is never taken for another
 * event's.
 */
#include "coordinator/web/watcher.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coordinator/db/webreads.h"
#include "coordinator/web/measures.h"
#include "coordinator/web/moment.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"

enum {
    WARM_SWEEPS = 3,
    MOST_JOBS = 200,
    SHARE = 5,
    RETRY_MS = 1000,
    NEVER_MS = 3600 * 1000
};

struct watcher {
    struct site *site;
    struct mailbox *mailbox;
    watcher_call *call;
    void *arg;
    struct db *db; /* NULL: not connected */
    int64_t since;
    struct buf moment; /* of the last look */
    bool was_lost;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop, wake;
};

/* Milliseconds since 1970, and one more than the last where the clock stands still. */
static int64_t
next_number(struct site *site)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    const int64_t now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    return now > site->news ? now : site->news + 1;
}

static void
tell(struct watcher *w, json_t *doc)
{
    struct news *n = xcalloc(1, sizeof *n);

    n->number = next_number(w->site);
    n->data = json_dumps(doc, JSON_COMPACT);
    n->arg = w->arg;
    w->site->news = n->number;
    json_decref(doc);
    mailbox_post(w->mailbox, w->call, n);
}

static void
lose(struct watcher *w)
{
    db_close(w->db);
    w->db = NULL;
    buf_clear(&w->moment);
    if (!w->was_lost)
        tell(w, json_pack("{s:b}", "lost", 1));
    w->was_lost = true;
}

/* True when other transactions are visible than at the last look. */
static int
look(struct watcher *w, bool *differs, struct err *err)
{
    struct buf moment = {0};

    if (db_web_moment(w->db, &moment, err) != 0) {
        buf_release(&moment);
        return -1;
    }
    *differs = strcmp(buf_str(&moment), buf_str(&w->moment)) != 0;
    buf_release(&w->moment);
    w->moment = moment;
    return 0;
}

static bool
says_something(const json_t *doc)
{
    return json_is_true(json_object_get(doc, "all"))
           || json_array_size(json_object_get(doc, "jobs")) > 0;
}

static int
report_changes(struct watcher *w, struct err *err)
{
    json_t *doc;

    if (db_web_changes(w->db, &w->since, MOST_JOBS, &doc, err) != 0)
        return -1;
    if (says_something(doc))
        tell(w, doc);
    else
        json_decref(doc);
    return 0;
}

/* One round; returns ms until the next. */
static int64_t
watch_once(struct watcher *w)
{
    const int64_t pause = w->site->config->poll_ms, start = clock_mono_ms();
    struct err err = {0};
    bool differs;

    if (w->db == NULL) {
        w->since = 0;
        if (db_web_open(&w->db, w->site->config->database, &err) != 0) {
            lose(w);
            return RETRY_MS;
        }
        w->was_lost = false;
    }
    if (look(w, &differs, &err) != 0 || (differs && report_changes(w, &err) != 0)) {
        lose(w);
        return RETRY_MS;
    }
    const int64_t cost = clock_mono_ms() - start;
    return SHARE * cost > pause ? SHARE * cost : pause;
}

static void
wait_ms(struct watcher *w, int64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&w->lock);
    if (!w->stop && !w->wake)
        pthread_cond_timedwait(&w->changed, &w->lock, &t);
    w->wake = false;
    pthread_mutex_unlock(&w->lock);
}

static bool
is_stopped(struct watcher *w)
{
    pthread_mutex_lock(&w->lock);
    const bool stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    return stop;
}

/* ---- before the first request ------------------------------------------------------ */

/* One sweep's cells and measurements. */
static int
fill_sweep(const struct moment *at, int64_t sweep, struct err *err)
{
    const struct measures *measures;
    struct mirror_sweep *s;
    json_t *texts;

    if (moment_sweep(at, sweep, &texts, &s, err) != 0)
        return -1;
    const int rc = measures_find(at->mirror, s, at->db,
                                 json_object_get(texts, "report"), &measures, err);
    mirror_done(at->mirror);
    json_decref(texts);
    return rc;
}

/* What pages of the newest sweeps are made from. What fails here is done, and said, by
 * the first page. */
static void
fill_mirror(struct watcher *w, const char *name)
{
    const struct moment at = {w->db, name, w->site->mirror};
    struct err err = {0};
    json_t *doc = NULL, *sweep;
    size_t i;

    if (db_web_sweeps(w->db, &doc, &err) != 0)
        return;
    json_array_foreach(json_object_get(doc, "sweeps"), i, sweep)
    {
        if (i == WARM_SWEEPS || fill_sweep(&at, json_int(sweep, "id", 0), &err) != 0)
            break;
    }
    json_decref(doc);
}

static void
warm_up(struct watcher *w)
{
    struct buf moment = {0};
    struct err err = {0};

    if (db_web_open(&w->db, w->site->config->database, &err) != 0)
        return;
    if (db_web_begin(w->db, &moment, &err) == 0) {
        fill_mirror(w, buf_str(&moment));
        db_web_end(w->db);
    }
    buf_release(&moment);
}

static void *
run(void *arg)
{
    struct watcher *w = arg;

    warm_up(w);
    while (!is_stopped(w))
        wait_ms(w, w->site->streams > 0 ? watch_once(w) : NEVER_MS);
    return NULL;
}

struct watcher *
watcher_start(struct site *site, struct mailbox *mailbox, watcher_call *call, void *arg)
{
    struct watcher *w = xcalloc(1, sizeof *w);
    pthread_condattr_t attributes;

    w->site = site;
    w->mailbox = mailbox;
    w->call = call;
    w->arg = arg;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&w->lock, NULL);
    site->news = next_number(site);
    pthread_create(&w->thread, NULL, run, w);
    return w;
}

static void
signal_it(struct watcher *w, bool stop)
{
    pthread_mutex_lock(&w->lock);
    w->wake = true;
    w->stop = w->stop || stop;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

void
watcher_wake(struct watcher *w)
{
    signal_it(w, false);
}

void
watcher_stop(struct watcher *w)
{
    if (w == NULL)
        return;
    signal_it(w, true);
    pthread_join(w->thread, NULL);
    db_close(w->db);
    buf_release(&w->moment);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
}
