/*
 * store.c - the bulk thread: socket, connection, transactions. A batch of messages is at
 * most one transaction, which begins by checking the epoch, so a deposed coordinator
 * stores nothing. When the database is away nothing is answered; senders ask again.
 */
#include "coordinator/store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "coordinator/db/blobfolder.h"
#include "coordinator/db/leader.h"
#include "coordinator/store/bulk.h"
#include "shared/base/clock.h"
#include "shared/base/crash.h"
#include "shared/base/file.h"
#include "shared/base/log.h"

enum {
    BATCH =
        8, /* messages of up to 1 MiB: a part of the credit, so that a sender goes on */
    NICENESS = 5,
    POLL_MS = 100,
    RECONNECT_MS = 500,
    FOLDER_MS = 5000,
    SWEEP_MS = 600 * 1000, /* between two removals of what nobody needs */
    CLEAR_MS = 5000,       /* and of their files */
};

struct store {
    struct sock *sock;
    char *database;
    pthread_t thread;
    _Atomic int64_t epoch;
    _Atomic bool stop;
    /* of the thread alone */
    struct pg *pg;
    char *folder;
    struct bulk bulk;
    bool in_batch; /* a transaction is open */
    int64_t connect_ms;
    int64_t swept_epoch, sweep_ms, clear_ms;
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

/* Nothing is done as leader by one who is not. */
static int
begin(struct store *s, int64_t epoch, struct err *err)
{
    s->in_batch = true;
    return pg_begin(s->pg, err) == 0 ? leader_check(s->pg, epoch, err) : -1;
}

static int
take_one(struct store *s, const struct sock_peer *from, const struct msg *m,
         struct arena *mem, int64_t epoch, struct err *err)
{
    const int64_t now_ms = clock_mono_ms();

    if (!s->in_batch && bulk_needs_rows(&s->bulk, m, now_ms)
        && begin(s, epoch, err) != 0)
        return -1;
    return bulk_take(&s->bulk, s->pg, from, m, mem, now_ms, err);
}

/* Takes up to BATCH messages. *n: how many there were. */
static int
take_messages(struct store *s, struct arena *mem, int64_t epoch, size_t *n,
              struct err *err)
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
        else if (take_one(s, &from, &m, mem, epoch, err) != 0)
            return -1;
    }
    return 0;
}

static int
commit_batch(struct store *s, struct arena *mem, int64_t epoch, size_t *n,
             struct err *err)
{
    s->in_batch = false;
    if (take_messages(s, mem, epoch, n, err) != 0)
        return -1;
    crash_point("blob-written");
    if (!s->in_batch)
        return 0;
    return bulk_settle(&s->bulk, s->pg, err) == 0 ? pg_commit(s->pg, err) : -1;
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

/* A piece of housekeeping as a transaction of the leader. *n: what it counts. */
static void
keep_house(struct store *s, int64_t epoch,
           int (*work)(struct pg *pg, int64_t *n, struct err *err))
{
    struct err err;
    int64_t n;

    if (begin(s, epoch, &err) != 0 || work(s->pg, &n, &err) != 0
        || pg_commit(s->pg, &err) != 0)
        fail(s, &err);
}

/* Checkpoints that were replaced before anybody pointed at them, and uploads that were
 * given up; then files. Memory of another epoch is out of date. */
static void
tidy(struct store *s, int64_t epoch)
{
    const int64_t now_ms = clock_mono_ms();

    bulk_close_idle(&s->bulk, now_ms);
    if (s->swept_epoch != epoch)
        bulk_forget(&s->bulk);
    if (s->swept_epoch != epoch || now_ms >= s->sweep_ms) {
        s->swept_epoch = epoch;
        s->sweep_ms = now_ms + SWEEP_MS;
        keep_house(s, epoch, blobs_sweep);
    }
    if (s->pg != NULL && now_ms >= s->clear_ms) {
        s->clear_ms = now_ms + CLEAR_MS;
        keep_house(s, epoch, blobfolder_clear);
    }
}

/* *id: of the folder, 0 without one. */
static int
join_folder(struct pg *pg, const char *folder, int64_t *id, struct err *err)
{
    *id = 0;
    if (folder[0] == '\0')
        return 0;
    return blobfolder_join(pg, folder, id, err);
}

/* Nobody waits for the disk with each piece: a sender goes back to what is there when the
 * server lost the last ones in a power cut. The last piece waits, for all before it
 * (blobs_finish). */
static int
open_database(struct store *s, struct err *err)
{
    if (pg_open(&s->pg, s->database, "relusweep-store", err) != 0)
        return -1;
    if (pg_script(s->pg, "SET synchronous_commit = off", err) == 0
        && join_folder(s->pg, s->folder, &s->bulk.folder, err) == 0)
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
        s->connect_ms =
            clock_mono_ms() + (err.kind == ERR_DB ? RECONNECT_MS : FOLDER_MS);
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

/* Before anything is promised: is this the right folder? A database that is away, or has
 * not this schema yet, is asked again by the thread. */
static int
try_folder(const struct store_config *config, struct err *err)
{
    struct pg *pg;
    int64_t id;

    if (config->folder[0] == '\0')
        return 0;
    if (file_make_dirs(config->folder, err) != 0)
        return err_wrap(err, "--artifact-dir");
    if (pg_open(&pg, config->database, "relusweep-store", err) != 0)
        return 0;
    const int rc = join_folder(pg, config->folder, &id, err);
    pg_close(pg);
    if (rc == 0 || err->kind == ERR_DB)
        return 0;
    err->kind = ERR_USAGE;
    return err_wrap(err, "--artifact-dir");
}

static void
free_store(struct store *s)
{
    bulk_release(&s->bulk);
    pg_close(s->pg);
    sock_close(s->sock);
    free(s->database);
    free(s->folder);
    free(s);
}

int
store_start(struct store **out, const struct store_config *config, struct err *err)
{
    *out = NULL;
    if (try_folder(config, err) != 0)
        return -1;
    struct store *s = xcalloc(1, sizeof *s);
    s->database = xstrdup(config->database);
    s->folder = xstrdup(config->folder);
    s->bulk.folder_min_bytes = config->folder_min_bytes;
    if (sock_bind_bulk(&s->sock, config->endpoint, err) != 0) {
        free_store(s);
        return -1;
    }
    const int rc = pthread_create(&s->thread, NULL, store_thread, s);
    if (rc != 0) {
        err_set(err, ERR_SYS, "start the bulk thread: %s", strerror(rc));
        free_store(s);
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
    free_store(s);
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
