/*
 * download.c - blobs on their way to a browser. Invariant: a download is either read from
 * (one errand is in the pool) or written to (libevent has its piece), never both; the
 * client may go at any time.
 */
#include "coordinator/web/download.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/blobrange.h"
#include "coordinator/db/webreads.h"
#include "coordinator/web/answer.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

enum { PIECE_BYTES = 1 << 20 };

struct download {
    struct evhttp_request *http; /* NULL: the client has gone */
    struct pool *pool;
    char *sha;
    int64_t size, at; /* `at`: where the piece that is wanted begins */
    bool is_reading;
};

static void read_next(struct download *d);

static void
end(struct download *d)
{
    if (d->http != NULL)
        evhttp_connection_set_closecb(evhttp_request_get_connection(d->http), NULL,
                                      NULL);
    free(d->sha);
    free(d);
}

static void
on_close(struct evhttp_connection *connection, void *arg)
{
    struct download *d = arg;

    (void)connection;
    d->http = NULL;
    if (!d->is_reading)
        end(d);
}

/* The client was promised more bytes than come: closing tells it. */
static void
break_off(struct download *d)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(d->http);

    end(d);
    evhttp_connection_free(connection);
}

/* ---- in a thread of the pool -------------------------------------------------------- */

static int
read_piece(struct seat *seat, const struct download *d, struct buf *out,
           struct err *err)
{
    const int64_t rest = d->size - d->at;

    if (seat->db == NULL
        && db_web_open(&seat->db, seat->site->config->database, err) != 0)
        return -1;
    return db_blob_range(seat->db, d->sha, d->at,
                         rest < PIECE_BYTES ? rest : PIECE_BYTES, out, err);
}

static void
work(struct seat *seat, struct errand *e)
{
    const struct download *d = e->client;
    struct err err = {0};

    e->response.status = 200;
    if (read_piece(seat, d, &e->response.body, &err) == 0)
        return;
    log_warn("web", "artifact=%.12s at=%lld error=%s", d->sha, (long long)d->at,
             err.text);
    e->response.status = 503;
    if (err.kind == ERR_DB)
        seat_release(seat); /* it is opened again */
}

/* ---- in the loop -------------------------------------------------------------------- */

static void
on_written(struct evhttp_connection *connection, void *arg)
{
    struct download *d = arg;
    struct evhttp_request *http = d->http;

    (void)connection;
    if (d->at < d->size) {
        read_next(d);
        return;
    }
    end(d);
    evhttp_send_reply_end(http);
}

static void
piece_is_here(struct errand *e)
{
    struct download *d = e->client;

    d->is_reading = false;
    if (d->http == NULL) {
        end(d);
    } else if (e->response.status != 200) {
        break_off(d);
    } else {
        struct evbuffer *b = evbuffer_new();
        evbuffer_add(b, e->response.body.data, e->response.body.len);
        d->at += (int64_t)e->response.body.len;
        evhttp_send_reply_chunk_with_cb(d->http, b, on_written, d);
        evbuffer_free(b);
    }
    errand_free(e);
}

static void
read_next(struct download *d)
{
    struct errand *e = xcalloc(1, sizeof *e);

    e->client = d;
    e->work = work;
    e->done = piece_is_here;
    d->is_reading = true;
    if (pool_give(d->pool, e))
        return;
    d->is_reading = false;
    errand_free(e);
    break_off(d);
}

static void
add_headers(struct evhttp_request *http, const struct response *r)
{
    struct evkeyvalq *h = evhttp_request_get_output_headers(http);
    char length[24], *name = xasprintf("attachment; filename=\"%s\"", r->file_name);

    snprintf(length, sizeof length, "%lld", (long long)r->blob_size);
    evhttp_add_header(h, "Content-Length", length);
    evhttp_add_header(h, "Content-Disposition", name);
    free(name);
}

void
download_start(struct evhttp_request *http, struct pool *pool,
               const struct response *response)
{
    struct download *d;

    add_headers(http, response);
    evhttp_send_reply_start(http, response->status, "OK");
    if (response->blob_size == 0
        || evhttp_request_get_command(http) == EVHTTP_REQ_HEAD) {
        evhttp_send_reply_end(http);
        return;
    }
    d = xcalloc(1, sizeof *d);
    d->http = http;
    d->pool = pool;
    d->sha = xstrdup(response->blob);
    d->size = response->blob_size;
    evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_close, d);
    read_next(d);
}
