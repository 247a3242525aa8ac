/*
 * bulk.c - the rules of blob transfer. Never caches that a blob is stored: that is asked
 * of the database each time, for blobs that nobody needs are removed.
 */
#include "coordinator/store/bulk.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BLOB_BYTES_LOG2 = 36 /* 64 GiB */ };

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
        if (strcmp(b->uploads[i].sha, sha) == 0)
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
        if (upload_open(*out, pg, sha, size, err) != 0) {
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
read_range(struct pg *pg, const struct blob_row *row, int64_t offset, struct buf *out,
           struct err *err)
{
    const int64_t place = offset / BLOB_CHUNK_BYTES, skip = offset % BLOB_CHUNK_BYTES;
    bool found;

    if (blobs_read(pg, row->id, place, out, &found, err) != 0)
        return -1;
    buf_drop(out, (size_t)skip < out->len ? (size_t)skip : out->len);
    if (skip > 0 && blobs_read(pg, row->id, place + 1, out, &found, err) != 0)
        return -1;
    if (out->len > MSG_CHUNK_BYTES)
        out->len = MSG_CHUNK_BYTES;
    return 0;
}

static int
take_get(struct bulk *b, struct pg *pg, const struct sock_peer *from,
         const struct msg_get *g, struct arena *mem, struct err *err)
{
    struct msg m = {.type = MSG_CHUNK,
                    .u.chunk = {.sha = g->sha, .offset = g->offset, .size = -1}};
    struct blob_row row;
    struct buf bytes = {0};
    int rc = 0;

    if (bulk_settle(b, pg, err) != 0 || blobs_row(pg, g->sha, &row, err) != 0)
        return -1;
    if (row.stored && g->offset >= 0 && g->offset <= row.size) {
        rc = read_range(pg, &row, g->offset, &bytes, err);
        void *data = arena_alloc(mem, bytes.len + 1);
        if (bytes.len > 0)
            memcpy(data, bytes.data, bytes.len);
        m.u.chunk.size = row.size;
        m.u.chunk.data = data;
        m.u.chunk.data_size = bytes.len;
    }
    buf_release(&bytes);
    if (rc == 0)
        reply_other(b, from, &m);
    return rc;
}

/* ---- all -------------------------------------------------------------------------- */

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
        return take_get(b, pg, from, &m->u.get, mem, err);
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
bulk_release(struct bulk *b)
{
    bulk_forget(b);
    free(b->replies);
    *b = (struct bulk){0};
}
