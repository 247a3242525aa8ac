/*
 * bulk.c - the rules of blob transfer. Never caches that a blob is stored: that is asked
 * of the database each time, for blobs that nobody needs are removed. Only what is being
 * downloaded from a file stays open for a while.
 */
#include "coordinator/store/bulk.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/db/blobfile.h"
#include "shared/base/log.h"

enum { MAX_BLOB_BYTES_LOG2 = 36 /* 64 GiB */, IDLE_MS = 10000 };

/* ---- replies ---------------------------------------------------------------------- */

/* A later state of the same upload for the same peer replaces the earlier one. */
static struct bulk_reply *
reply_slot(struct bulk *b, const struct sock_peer *to, const char *sha)
{
    for (size_t i = 0; i < b->n_replies; i++) {
        struct bulk_reply *r = &b->replies[i];
        if (r->m.type == MSG_PUT_STATE && r->to.n == to->n
            && memcmp(r->to.id, to->id, to->n) == 0
            && strcmp(r->m.u.put_state.sha, sha) == 0)
            return r;
    }
    b->replies = xgrow(b->replies, &b->capacity, b->n_replies + 1, sizeof *b->replies);
    return &b->replies[b->n_replies++];
}

static void
reply_state(struct bulk *b, const struct sock_peer *to, const char *sha, int64_t offset,
            const char *text)
{
    *reply_slot(b, to, sha) = (struct bulk_reply){
        .to = *to, .m = {.type = MSG_PUT_STATE, .u.put_state = {sha, offset, text}}};
}

static void
reply_other(struct bulk *b, const struct sock_peer *to, const struct msg *m)
{
    b->replies = xgrow(b->replies, &b->capacity, b->n_replies + 1, sizeof *b->replies);
    b->replies[b->n_replies++] = (struct bulk_reply){.to = *to, .m = *m};
}

/* ---- uploads ---------------------------------------------------------------------- */

static void
drop_upload(struct bulk *b, struct upload *u)
{
    upload_release(u);
    *u = b->uploads[--b->n_uploads];
}

/* The upload that was silent for the longest time makes room. */
static void
make_room(struct bulk *b)
{
    struct upload *oldest = &b->uploads[0];

    if (b->n_uploads < BULK_UPLOADS)
        return;
    for (size_t i = 1; i < b->n_uploads; i++)
        if (b->uploads[i].used_ms < oldest->used_ms)
            oldest = &b->uploads[i];
    drop_upload(b, oldest);
}

static struct upload *
find_upload(struct bulk *b, const char *sha)
{
    for (size_t i = 0; i < b->n_uploads; i++)
        if (strcmp(b->uploads[i].row.sha, sha) == 0)
            return &b->uploads[i];
    return NULL;
}

static int
get_upload(struct bulk *b, struct pg *pg, const char *sha, int64_t size, int64_t now_ms,
           struct upload **out, struct err *err)
{
    *out = find_upload(b, sha);
    if (*out == NULL) {
        make_room(b);
        if (bulk_settle(b, pg, err) != 0)
            return -1;
        *out = &b->uploads[b->n_uploads];
        if (upload_open(*out, pg, sha, size,
                        size >= b->folder_min_bytes ? b->folder : 0, err)
            != 0) {
            upload_release(*out);
            return -1;
        }
        b->n_uploads++;
    }
    (*out)->used_ms = now_ms;
    return 0;
}

/* Says how far it is; an upload that is finished is not kept. */
static void
settle(struct bulk *b, struct upload *u, const struct sock_peer *to, const char *sha,
       bool wrong)
{
    reply_state(b, to, sha, wrong ? -1 : u->row.received,
                wrong ? "the bytes do not hash to this digest" : "");
    if (wrong || u->row.stored)
        drop_upload(b, u);
}

static bool
acceptable(struct bulk *b, const struct sock_peer *from, const char *sha, int64_t size)
{
    if (sha256_is_hex(sha) && size >= 0 && size >> MAX_BLOB_BYTES_LOG2 == 0)
        return true;
    reply_state(b, from, sha, -1,
                "a blob is named by 64 hexadecimal digits and has 0 bytes to 64 GiB");
    return false;
}

static int
take_piece(struct bulk *b, struct pg *pg, const struct sock_peer *from,
           const struct msg_chunk *c, int64_t now_ms, struct err *err)
{
    struct upload *u;
    bool wrong = false;

    if (!acceptable(b, from, c->sha, c->size))
        return 0;
    if (get_upload(b, pg, c->sha, c->size, now_ms, &u, err) != 0)
        return -1;
    if (u->row.size != c->size) {
        reply_state(b, from, c->sha, -1, "this blob has another size");
        return 0;
    }
    if (upload_take(u, pg, c->offset, c->data, c->data_size, &b->writing, &wrong, err)
        != 0)
        return -1;
    settle(b, u, from, c->sha, wrong);
    return 0;
}

/* A PUT is a piece of no bytes: it says where to go on, and ends an empty blob. */
static int
take_put(struct bulk *b, struct pg *pg, const struct sock_peer *from,
         const struct msg_put *p, int64_t now_ms, struct err *err)
{
    const struct msg_chunk nothing = {.sha = p->sha, .offset = -1, .size = p->size};

    return take_piece(b, pg, from, &nothing, now_ms, err);
}

/* ---- downloads -------------------------------------------------------------------- */

/* Up to MSG_CHUNK_BYTES from any offset: the rest of one row and the start of the
 * next. */
static int
read_rows(struct pg *pg, const struct blob_row *row, int64_t offset,
          struct msg_chunk *c, struct arena *mem, struct err *err)
{
    const int64_t place = offset / BLOB_CHUNK_BYTES, skip = offset % BLOB_CHUNK_BYTES;
    struct buf bytes = {0};
    int rc = 0;

    if (offset < row->size)
        rc = blobs_read(pg, row, place, &bytes, err);
    if (rc == 0 && skip > 0 && (place + 1) * BLOB_CHUNK_BYTES < row->size)
        rc = blobs_read(pg, row, place + 1, &bytes, err);
    if (rc == 0 && bytes.len > (size_t)skip) {
        const size_t n = bytes.len - (size_t)skip;
        c->data_size = n < MSG_CHUNK_BYTES ? n : MSG_CHUNK_BYTES;
        void *data = arena_alloc(mem, c->data_size);
        memcpy(data, bytes.data + skip, c->data_size);
        c->data = data;
    }
    buf_release(&bytes);
    return rc;
}

static int
read_file(const struct reading *r, int64_t offset, struct msg_chunk *c,
          struct arena *mem, struct err *err)
{
    const int64_t left = r->size - offset;
    const size_t n = left < MSG_CHUNK_BYTES ? (size_t)left : MSG_CHUNK_BYTES;
    void *data = arena_alloc(mem, n + 1);

    c->data = data;
    return blobfile_read(r->fd, offset, data, n, &c->data_size, err);
}

/* Fills in the piece of a stored blob; what is not there stays a chunk of size -1. */
static int
read_piece(struct bulk *b, struct pg *pg, const struct msg_get *g, struct msg_chunk *c,
           struct arena *mem, int64_t now_ms, struct err *err)
{
    const struct reading *r = readings_find(&b->readings, g->sha, now_ms);
    struct blob_row row = {0};

    if (r == NULL) {
        if (bulk_settle(b, pg, err) != 0 || blobs_row(pg, g->sha, &row, err) != 0)
            return -1;
        if (!row.stored)
            return 0;
        if (row.folder[0] != '\0'
            && readings_open(&b->readings, &row, now_ms, &r, err) != 0)
            return -1;
    }
    const int64_t size = r != NULL ? r->size : row.size;
    if (g->offset < 0 || g->offset > size)
        return 0;
    c->size = size;
    return r != NULL ? read_file(r, g->offset, c, mem, err)
                     : read_rows(pg, &row, g->offset, c, mem, err);
}

static int
take_get(struct bulk *b, struct pg *pg, const struct sock_peer *from,
         const struct msg_get *g, struct arena *mem, int64_t now_ms, struct err *err)
{
    struct msg m = {.type = MSG_CHUNK,
                    .u.chunk = {.sha = g->sha, .offset = g->offset, .size = -1}};

    if (read_piece(b, pg, g, &m.u.chunk, mem, now_ms, err) != 0) {
        if (err->kind != ERR_DATA) /* damaged or gone: it will not come back */
            return -1;
        log_error("store", "sha=%.64s state=damaged why=\"%s\"", g->sha, err->text);
        m.u.chunk = (struct msg_chunk){.sha = g->sha, .offset = g->offset, .size = -1};
    }
    reply_other(b, from, &m);
    return 0;
}

/* ---- all -------------------------------------------------------------------------- */

static bool
piece_needs_rows(struct bulk *b, const char *sha, int64_t offset, size_t size)
{
    const struct upload *u = find_upload(b, sha);

    return u == NULL || !upload_needs_no_rows(u, offset, size);
}

bool
bulk_needs_rows(struct bulk *b, const struct msg *m, int64_t now_ms)
{
    if (m->type == MSG_PUT)
        return piece_needs_rows(b, m->u.put.sha, -1, 0);
    if (m->type == MSG_CHUNK)
        return piece_needs_rows(b, m->u.chunk.sha, m->u.chunk.offset,
                                m->u.chunk.data_size);
    return m->type == MSG_GET
           && readings_find(&b->readings, m->u.get.sha, now_ms) == NULL;
}

int
bulk_take(struct bulk *b, struct pg *pg, const struct sock_peer *from,
          const struct msg *m, struct arena *mem, int64_t now_ms, struct err *err)
{
    const struct msg reject = {
        .type = MSG_REJECT,
        .u.reject = {"unknown-type", "this socket is for PUT, CHUNK and GET"}};

    if (m->type == MSG_PUT)
        return take_put(b, pg, from, &m->u.put, now_ms, err);
    if (m->type == MSG_CHUNK)
        return take_piece(b, pg, from, &m->u.chunk, now_ms, err);
    if (m->type == MSG_GET)
        return take_get(b, pg, from, &m->u.get, mem, now_ms, err);
    reply_other(b, from, &reject);
    return 0;
}

int
bulk_settle(struct bulk *b, struct pg *pg, struct err *err)
{
    return blobs_written(pg, &b->writing, err);
}

void
bulk_forget(struct bulk *b)
{
    b->writing = false;
    while (b->n_uploads > 0)
        drop_upload(b, &b->uploads[0]);
    b->n_replies = 0;
}

void
bulk_close_idle(struct bulk *b, int64_t now_ms)
{
    readings_close(&b->readings, now_ms - IDLE_MS);
}

void
bulk_release(struct bulk *b)
{
    bulk_forget(b);
    readings_close(&b->readings, INT64_MAX);
    free(b->replies);
    *b = (struct bulk){0};
}
