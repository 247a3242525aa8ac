/*
 * store.c - the bulk thread: socket, connection, transactions. A batch of messages is
 * one transaction that begins by checking the epoch, so a deposed coordinator stores
 * nothing. When the database is away nothing is answered; senders ask again.
 */
#include "coordinator/store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "coordinator/db/leader.h"
#include "coordinator/store/bulk.h"
#include "shared/base/clock.h"
#include "shared/base/crash.h"
#include "shared/base/log.h"

enum {
    BATCH =
        8, /* messages of up to 1 MiB: a part of the credit, so that a sender goes on */
    NICENESS = 5,
    POLL_MS = 100,
    RECONNECT_MS = 500,
    SWEEP_MS = 600 * 1000, /* between two removals of what nobody needs */
};

struct store {
    struct sock *sock;
    char *database;
    pthread_t thread;
    _Atomic int64_t epoch;
    _Atomic bool stop;
    /* of the thread alone */
    struct pg *pg;
    struct bulk bulk;
    int64_t connect_ms;
    int64_t swept_epoch, sweep_ms;
};

static void
send_replies(struct store *s)
{
    for (size_t i = 0; i < s->bulk.n_replies; i++)
        sock_send(s->sock, &s->bulk.replies[i].to, &s->bulk.replies[i].m);
    s->bulk.n_replies = 0;
}

static void
reject(struct store *s, const struct sock_peer *to, const struct err *err)
{
    const struct msg m = {
        .type = MSG_REJECT,
        .u.reject = {err->kind == ERR_REFUSED ? "version" : "malformed", err->text}};

    if (to->n > 0)
        sock_send(s->sock, to, &m);
}

/* Takes up to BATCH messages within the transaction. *n: how many there were. */
static int
take_messages(struct store *s, struct arena *mem, size_t *n, struct err *err)
{
    struct sock_peer from = {0};
    struct msg m;

    for (*n = 0; *n < BATCH; ++*n) {
        struct err bad;
        const int rc = sock_recv(s->sock, &from, &m, mem, &bad);
        if (rc == 0)
            return 0;
        if (rc < 0)
            reject(s, &from, &bad);
        else if (bulk_take(&s->bulk, s->pg, &from, &m, mem, clock_mono_ms(), err) != 0)
            return -1;
    }
    return 0;
}

static int
commit_batch(struct store *s, struct arena *mem, int64_t epoch, size_t *n,
             struct err *err)
{
    *n = 0;
    if (pg_begin(s->pg, err) != 0 || leader_check(s->pg, epoch, err) != 0
        || take_messages(s, mem, n, err) != 0 || bulk_settle(&s->bulk, s->pg, err) != 0)
        return -1;
    crash_point("blob-written");
    return pg_commit(s->pg, err);
}

static void
fail(struct store *s, const struct err *err)
{
    struct err also;

    log_warn("store", "action=again why=\"%s\"", err->text);
    (void)!bulk_settle(&s->bulk, s->pg, &also);
    pg_rollback(s->pg);
    bulk_forget(&s->bulk);
    if (!pg_alive(s->pg)) {
        pg_close(s->pg);
        s->pg = NULL;
        s->connect_ms = clock_mono_ms() + RECONNECT_MS;
    }
}

/* All that has arrived, batch by batch. */
static void
serve(struct store *s, int64_t epoch)
{
    size_t n = BATCH;

    while (n == BATCH) {
        struct arena mem = {0};
        struct err err;
        const int rc = commit_batch(s, &mem, epoch, &n, &err);
        if (rc == 0)
            send_replies(s);
        else
            fail(s, &err);
        arena_release(&mem);
        if (rc != 0)
            return;
    }
}

/* What arrived for nobody. */
static void
discard(struct store *s)
{
    struct arena mem = {0};
    struct sock_peer from;
    struct msg m;
    struct err err;

    for (int i = 0; i < BATCH && sock_recv(s->sock, &from, &m, &mem, &err) != 0; i++)
        continue;
    arena_release(&mem);
}

/* Checkpoints that were replaced before anybody pointed at them, and uploads that were
 * given up. Memory of another epoch is out of date. */
static void
tidy(struct store *s, int64_t epoch)
{
    struct err err;

    if (s->swept_epoch == epoch && clock_mono_ms() < s->sweep_ms)
        return;
    if (s->swept_epoch != epoch)
        bulk_forget(&s->bulk);
    s->swept_epoch = epoch;
    s->sweep_ms = clock_mono_ms() + SWEEP_MS;
    if (blobs_sweep(s->pg, &err) != 0)
        fail(s, &err);
}

/* Nobody waits for the disk with each piece: a sender goes back to what is there when the
 * server lost the last ones in a power cut. The last piece waits, for all before it
 * (blobs_finish). */
static int
open_database(struct store *s, struct err *err)
{
    if (pg_open(&s->pg, s->database, "relusweep-store", err) != 0)
        return -1;
    if (pg_script(s->pg, "SET synchronous_commit = off", err) == 0)
        return 0;
    pg_close(s->pg);
    s->pg = NULL;
    return -1;
}

/* A connection, when it is time for one; the first work of an epoch is to tidy up. */
static bool
connected(struct store *s, int64_t epoch)
{
    struct err err;

    if (s->pg == NULL && clock_mono_ms() >= s->connect_ms
        && open_database(s, &err) != 0) {
        log_warn("store", "action=reconnect why=\"%s\"", err.text);
        s->connect_ms = clock_mono_ms() + RECONNECT_MS;
    }
    if (s->pg != NULL)
        tidy(s, epoch);
    return s->pg != NULL;
}

static void *
store_thread(void *arg)
{
    struct store *s = arg;
    unsigned char ready;

    /* of this thread alone: dispatch goes before bulk data */
    (void)setpriority(PRIO_PROCESS, 0, NICENESS);
    while (!atomic_load(&s->stop)) {
        const bool news = sock_wait(&s->sock, 1, NULL, 0, &ready, POLL_MS) > 0;
        const int64_t epoch = atomic_load(&s->epoch);
        if (epoch == 0 || !connected(s, epoch))
            discard(s);
        else if (news)
            serve(s, epoch);
    }
    return NULL;
}

int
store_start(struct store **out, const char *endpoint, const char *database,
            struct err *err)
{
    struct store *s = xcalloc(1, sizeof *s);

    *out = NULL;
    s->database = xstrdup(database);
    if (sock_bind_bulk(&s->sock, endpoint, err) != 0) {
        free(s->database);
        free(s);
        return -1;
    }
    const int rc = pthread_create(&s->thread, NULL, store_thread, s);
    if (rc != 0) {
        err_set(err, ERR_SYS, "start the bulk thread: %s", strerror(rc));
        sock_close(s->sock);
        free(s->database);
        free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void
store_stop(struct store *s)
{
    if (s == NULL)
        return;
    atomic_store(&s->stop, true);
    pthread_join(s->thread, NULL);
    bulk_release(&s->bulk);
    pg_close(s->pg);
    sock_close(s->sock);
    free(s->database);
    free(s);
}

const char *
store_endpoint(const struct store *s)
{
    return sock_endpoint(s->sock);
}

void
store_set_epoch(struct store *s, int64_t epoch)
{
    atomic_store(&s->epoch, epoch);
}
