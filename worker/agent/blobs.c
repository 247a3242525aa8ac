/*
 * blobs.c - transfers over the bulk socket. Invariants: a file under its digest in the
 * cache is whole and was verified; `done` of a transfer never counts a byte that the
 * other end may lack. Must not know jobs, stages or the control socket.
 */
#include "worker/agent/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"
#include "worker/agent/cache.h"

enum {
    SILENCE_MS = 3000, /* without an answer: ask again */
    MAX_DAMAGED = 2,   /* downloads with a wrong digest before giving up */
    MAX_RECEIVED = 64, /* messages of one step */
};

/* What a person can do about a blob that cannot be had. */
#define MAKE_ANEW                                                              \
    "`relusweep db check --deep` says whether it is whole there and which job" \
    " made it; `relusweep retry JOB --again` makes it anew"

static const int64_t window_bytes = (int64_t)MSG_BULK_CREDIT * MSG_CHUNK_BYTES;

struct blob {
    struct blob *next;
    bool put;
    enum blob_state state;
    struct err err;
    char sha[SHA256_HEX + 1];
    int64_t size;
    char *path;   /* the file that is sent, or where it will be */
    char *part;   /* of a download: the file that grows */
    int fd;       /* of path or part, -1: not open */
    int64_t done; /* bytes that the receiver has in order */
    int64_t sent; /* bytes sent (put) or asked for (get); >= done */
    bool asked;   /* put: the question is under way or answered */
    bool answered;
    int64_t heard_ms;           /* last answer or question */
    struct sha256_stream *hash; /* of a download that began at its start, else NULL */
    int damaged;
};

struct blobs {
    char *dir;
    int64_t cache_bytes;
    char *endpoint;
    struct sock *sock;
    struct blob *transfers; /* in order of asking */
    unsigned char chunk[MSG_CHUNK_BYTES];
};

/* ---- life ------------------------------------------------------------------------- */

int
blobs_new(struct blobs **out, const char *dir, int64_t cache_bytes, struct err *err)
{
    *out = NULL;
    if (file_make_dirs(dir, err) != 0)
        return -1;
    cache_trim(dir, cache_bytes);
    struct blobs *b = xcalloc(1, sizeof *b);
    b->dir = xstrdup(dir);
    b->cache_bytes = cache_bytes;
    *out = b;
    return 0;
}

void
blobs_free(struct blobs *b)
{
    if (b == NULL)
        return;
    while (b->transfers != NULL)
        blob_free(b, b->transfers);
    sock_close(b->sock);
    free(b->endpoint);
    free(b->dir);
    free(b);
}

/* Everything unanswered is asked again on a new connection. */
static void
rewind_transfer(struct blob *t)
{
    t->sent = t->done;
    t->asked = t->answered = false;
}

int
blobs_connect(struct blobs *b, const char *endpoint, struct err *err)
{
    struct sock *fresh = NULL;

    if (sock_connect_bulk(&fresh, endpoint, err) != 0)
        return err_wrap(err, "bulk socket");
    sock_close(b->sock);
    b->sock = fresh;
    char *copy = xstrdup(endpoint);
    free(b->endpoint);
    b->endpoint = copy;
    for (struct blob *t = b->transfers; t != NULL; t = t->next)
        rewind_transfer(t);
    return 0;
}

struct sock *
blobs_sock(const struct blobs *b)
{
    return b->sock;
}

static struct blob *
add_transfer(struct blobs *b, const char *sha, int64_t size, bool put)
{
    struct blob *t = xcalloc(1, sizeof *t);
    struct blob **end = &b->transfers;

    *t = (struct blob){.put = put, .size = size, .fd = -1};
    memcpy(t->sha, sha, strnlen(sha, SHA256_HEX));
    while (*end != NULL)
        end = &(*end)->next;
    *end = t;
    return t;
}

static void
close_file(struct blob *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    if (t->hash != NULL)
        sha256_stream_end(t->hash);
    t->hash = NULL;
}

void
blob_free(struct blobs *b, struct blob *t)
{
    struct blob **at = &b->transfers;

    if (t == NULL)
        return;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    close_file(t);
    free(t->path);
    free(t->part);
    free(t);
}

enum blob_state
blob_state(const struct blob *t)
{
    return t->state;
}

const char *
blob_path(const struct blob *t)
{
    return t->path;
}

const char *
blob_sha(const struct blob *t)
{
    return t->sha;
}

int64_t
blob_size(const struct blob *t)
{
    return t->size;
}

const struct err *
blob_error(const struct blob *t)
{
    return &t->err;
}

static void
finish(struct blob *t, enum blob_state state)
{
    close_file(t);
    t->state = state;
}

void
blobs_keep(struct blobs *b, const char *sha, const char *path)
{
    char *to = file_join(b->dir, sha);

    if (sha256_is_hex(sha) && link(path, to) != 0 && errno != EEXIST)
        log_debug("blobs", "sha=%s state=not-kept errno=%d", sha, errno);
    cache_trim(b->dir, b->cache_bytes);
    free(to);
}

/* ---- downloading ------------------------------------------------------------------ */

/* Another download of the same file is before this one; its file will serve both. */
static bool
waits_for_another(const struct blobs *b, const struct blob *t)
{
    for (const struct blob *o = b->transfers; o != t; o = o->next)
        if (!o->put && o->state == BLOB_BUSY && strcmp(o->sha, t->sha) == 0)
            return true;
    return false;
}

/* Of the whole file, as its bytes went by or, where an earlier download began it, read
 * again. */
static int
digest_of(struct blob *t, struct sha256 *digest)
{
    if (t->hash == NULL)
        return sha256_file(digest, NULL, t->part, &t->err);
    *digest = sha256_stream_end(t->hash);
    t->hash = NULL;
    return 0;
}

/* The whole file is in t->part: verify it and put it in its place. */
static void
settle_download(struct blob *t)
{
    struct sha256 digest;

    (void)fdatasync(t->fd); /* a name in the cache must outlive a power cut as it is */
    const int rc = digest_of(t, &digest);
    close_file(t);
    if (rc != 0) {
        finish(t, BLOB_FAILED);
    } else if (strcmp(digest.hex, t->sha) == 0) {
        if (rename(t->part, t->path) == 0) {
            finish(t, BLOB_DONE);
            return;
        }
        err_sys(&t->err, "rename %s", t->part);
        finish(t, BLOB_FAILED);
    } else {
        log_warn("blobs", "sha=%s state=damaged got=%s", t->sha, digest.hex);
        (void)unlink(t->part);
        t->done = t->sent = 0;
        if (++t->damaged < MAX_DAMAGED)
            return;
        err_set(&t->err, ERR_DATA, "blob %s arrived damaged %d times; " MAKE_ANEW,
                t->sha, t->damaged);
        finish(t, BLOB_FAILED);
    }
}

/* Opens the growing file; what is there from before counts. */
static int
open_part(struct blob *t)
{
    struct stat st;

    t->fd = open(t->part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (t->fd < 0 || fstat(t->fd, &st) != 0) {
        err_sys(&t->err, "create %s", t->part);
        finish(t, BLOB_FAILED);
        return -1;
    }
    t->done = t->sent = st.st_size <= t->size ? st.st_size : 0;
    if (ftruncate(t->fd, t->done) != 0) { /* of what is longer nothing is kept */
        err_sys(&t->err, "write %s", t->part);
        finish(t, BLOB_FAILED);
        return -1;
    }
    if (t->done == 0)
        t->hash = sha256_stream_new();
    return 0;
}

struct blob *
blobs_get(struct blobs *b, const char *sha, int64_t size)
{
    struct blob *t = add_transfer(b, sha, size, false);

    t->path = file_join(b->dir, t->sha);
    t->part = xasprintf("%s.part", t->path);
    if (!sha256_is_hex(sha) || size < 0) {
        err_set(&t->err, ERR_DATA, "`%.80s` is not the digest of a blob", sha);
        finish(t, BLOB_FAILED);
    } else if (cache_has(t->path, size)) {
        finish(t, BLOB_DONE);
    }
    return t;
}

static void
step_download(struct blobs *b, struct blob *t, int64_t now_ms)
{
    if (waits_for_another(b, t))
        return;
    if (t->fd < 0) {
        if (cache_has(t->path, t->size)) { /* another download brought it */
            finish(t, BLOB_DONE);
            return;
        }
        if (open_part(t) != 0)
            return;
        t->heard_ms = now_ms;
    }
    if (t->done == t->size) {
        settle_download(t);
        return;
    }
    if (now_ms - t->heard_ms > SILENCE_MS) {
        t->sent = t->done;
        t->heard_ms = now_ms;
    }
    while (t->sent < t->size && t->sent - t->done < window_bytes) {
        const struct msg ask = {MSG_GET, .u.get = {t->sha, t->sent}};
        if (sock_send(b->sock, NULL, &ask) != 0)
            return;
        t->sent += MSG_CHUNK_BYTES;
    }
}

static void
take_chunk(struct blob *t, const struct msg_chunk *c, int64_t now_ms)
{
    t->heard_ms = now_ms;
    if (c->size != t->size) {
        if (c->size < 0)
            err_set(&t->err, ERR_DATA,
                    "the coordinator does not have blob %s; " MAKE_ANEW, t->sha);
        else
            err_set(&t->err, ERR_DATA, "blob %s has %" PRId64 " bytes, not %" PRId64,
                    t->sha, c->size, t->size);
        finish(t, BLOB_FAILED);
        return;
    }
    const int64_t left = t->size - t->done;
    if (c->offset != t->done || c->data_size == 0 || (int64_t)c->data_size > left)
        return; /* a repeat, or what follows a gap */
    if (pwrite(t->fd, c->data, c->data_size, c->offset) != (ssize_t)c->data_size) {
        err_sys(&t->err, "write %s", t->part);
        finish(t, BLOB_FAILED);
        return;
    }
    if (t->hash != NULL)
        sha256_stream_add(t->hash, c->data, c->data_size);
    file_write_behind(t->fd, c->offset, (int64_t)c->data_size);
    t->done += (int64_t)c->data_size;
    if (t->sent < t->done)
        t->sent = t->done;
}

/* ---- uploading -------------------------------------------------------------------- */

struct blob *
blobs_put(struct blobs *b, const char *sha, int64_t size, const char *path)
{
    struct blob *t = add_transfer(b, sha, size, true);

    t->path = xstrdup(path);
    return t;
}

static int
open_source(struct blob *t)
{
    struct stat st;

    t->fd = open(t->path, O_RDONLY | O_CLOEXEC);
    if (t->fd < 0 || fstat(t->fd, &st) != 0)
        err_sys(&t->err, "open %s", t->path);
    else if (st.st_size != t->size)
        err_set(&t->err, ERR_DATA, "%s has changed since its digest was made", t->path);
    else
        return 0;
    finish(t, BLOB_FAILED);
    return -1;
}

/* 0 sent, 1 not now, -1 failed. */
static int
send_chunk(struct blobs *b, struct blob *t)
{
    const int64_t left = t->size - t->sent;
    const size_t n = left < MSG_CHUNK_BYTES ? (size_t)left : MSG_CHUNK_BYTES;
    const struct msg chunk = {MSG_CHUNK,
                              .u.chunk = {t->sha, t->sent, t->size, b->chunk, n}};

    if (pread(t->fd, b->chunk, n, t->sent) != (ssize_t)n) {
        err_sys(&t->err, "read %s", t->path);
        finish(t, BLOB_FAILED);
        return -1;
    }
    if (sock_send(b->sock, NULL, &chunk) != 0)
        return 1;
    t->sent += (int64_t)n;
    return 0;
}

static void
step_upload(struct blobs *b, struct blob *t, int64_t now_ms)
{
    const struct msg question = {MSG_PUT, .u.put = {t->sha, t->size}};

    if (t->fd < 0 && open_source(t) != 0)
        return;
    if (t->asked && now_ms - t->heard_ms > SILENCE_MS)
        rewind_transfer(t);
    if (!t->asked) {
        t->asked = sock_send(b->sock, NULL, &question) == 0;
        t->heard_ms = now_ms;
        return;
    }
    while (t->answered && t->sent < t->size && t->sent - t->done < window_bytes)
        if (send_chunk(b, t) != 0)
            return;
}

static void
take_put_state(struct blob *t, const struct msg_put_state *s, int64_t now_ms)
{
    t->heard_ms = now_ms;
    if (s->offset < 0) {
        err_set(&t->err, ERR_REFUSED, "the coordinator does not take blob %s: %s",
                t->sha, s->text);
        finish(t, BLOB_FAILED);
    } else if (s->offset == t->size) {
        finish(t, BLOB_DONE);
    } else if (s->offset < t->size) {
        /* the answer to a question says where to go on; later ones how far it is */
        if (!t->answered || s->offset < t->done || s->offset > t->sent)
            t->sent = s->offset;
        t->done = s->offset;
        t->answered = true;
    }
}

/* ---- stepping --------------------------------------------------------------------- */

static struct blob *
find_busy(const struct blobs *b, const char *sha, bool put)
{
    for (struct blob *t = b->transfers; t != NULL; t = t->next)
        if (t->put == put && t->state == BLOB_BUSY && strcmp(t->sha, sha) == 0)
            return t;
    return NULL;
}

static void
take_message(struct blobs *b, const struct msg *m, int64_t now_ms)
{
    struct blob *t;

    switch (m->type) {
    case MSG_CHUNK:
        t = find_busy(b, m->u.chunk.sha, false);
        if (t != NULL && t->fd >= 0)
            take_chunk(t, &m->u.chunk, now_ms);
        break;
    case MSG_PUT_STATE:
        while ((t = find_busy(b, m->u.put_state.sha, true)) != NULL) {
            take_put_state(t, &m->u.put_state, now_ms);
            if (t->state == BLOB_BUSY)
                break;
        }
        break;
    case MSG_REJECT:
        log_warn("blobs", "event=reject code=%s text=\"%s\"", m->u.reject.code,
                 m->u.reject.text);
        break;
    default: log_debug("blobs", "event=ignored type=%s", msg_type_name(m->type));
    }
}

static void
receive(struct blobs *b, int64_t now_ms)
{
    for (int i = 0; i < MAX_RECEIVED; i++) {
        struct arena mem = {0};
        struct msg m;
        struct err err;
        const int rc = sock_recv(b->sock, NULL, &m, &mem, &err);
        if (rc > 0)
            take_message(b, &m, now_ms);
        else if (rc < 0)
            log_warn("blobs", "event=malformed text=\"%s\"", err.text);
        arena_release(&mem);
        if (rc == 0)
            return;
    }
}

void
blobs_step(struct blobs *b, int64_t now_ms)
{
    if (b->sock == NULL)
        return;
    receive(b, now_ms);
    for (struct blob *t = b->transfers; t != NULL; t = t->next) {
        if (t->state != BLOB_BUSY)
            continue;
        if (t->put)
            step_upload(b, t, now_ms);
        else
            step_download(b, t, now_ms);
    }
}
