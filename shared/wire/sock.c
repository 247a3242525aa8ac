/*
 * sock.c - libzmq, and the only file that knows it. Responsible for options that keep a
 * peer from hurting us: bounded queues and messages, no blocking call, generated routing
 * ids (fixed ones are taken over by whoever connects last), no message queued for a
 * connection that does not exist. Must not know what messages mean.
 */
#include "shared/wire/sock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <zmq.h>

#include "shared/base/mem.h"
#include "shared/wire/bundle.h"
#include "shared/wire/curve.h"

enum {
    SEND_QUEUE = 1000, /* messages, for each peer */
    RECV_QUEUE = 256,
    BULK_QUEUE = 64, /* of a socket for large messages, in either direction */
    LINGER_MS = 1000,
    BACKLOG = 4096,
    HANDSHAKE_MS = 5000,
    RECONNECT_MS = 200,
    RECONNECT_MAX_MS = 1000, /* it need not grow long: a worker has one coordinator */
    UNANSWERED_MS = 10000,   /* from what was sent to the other kernel's word for it */
    IO_THREADS = 2, /* one for control, one for bulk data: ciphers take milliseconds */
    MAX_WAIT = 64,  /* things that one sock_wait may watch */
};

enum { MAX_GATHERED = 32 }; /* peers */

/* What waits for sock_flush. */
struct gathered {
    struct sock_peer peer;
    struct buf bundle, only; /* one message alone needs no bundle */
    bool failed;
};

struct sock {
    void *zmq;
    bool router;
    char endpoint[256];
    bool gathers;
    struct gathered gathered[MAX_GATHERED];
    size_t n_gathered;
    /* a received bundle that has more messages */
    bool in_bundle;
    zmq_msg_t bundle;
    size_t bundle_pos;
    struct sock_peer bundle_from;
    bool curve;    /* a server whose peers have keys */
    void *monitor; /* of a client with keys, else NULL */
};

/* ---- the context ------------------------------------------------------------------ */

static void *context;
static pthread_once_t context_once = PTHREAD_ONCE_INIT;

/* It lives as long as the process: ending one context disturbs others in 4.3.4. */
static void
make_context(void)
{
    context = zmq_ctx_new();
    if (context != NULL)
        (void)zmq_ctx_set(context, ZMQ_IO_THREADS, IO_THREADS);
}

/* ---- keys ------------------------------------------------------------------------- */

int
sock_use_server_keys(const char *dir, struct err *err)
{
    pthread_once(&context_once, make_context);
    return curve_load_server(context, dir, err);
}

int
sock_use_client_keys(const char *dir, struct err *err)
{
    return curve_load_client(dir, err);
}

const char *
sock_trouble(struct sock *s)
{
    return s->monitor != NULL ? curve_trouble(s->monitor) : NULL;
}

static bool
is_tcp(const char *endpoint)
{
    return strncmp(endpoint, "tcp://", 6) == 0;
}

/* ---- endpoints -------------------------------------------------------------------- */

static bool
is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost:", 10) == 0
           || strncmp(host, "[::1]:", 6) == 0;
}

static int
check_endpoint(const char *endpoint, bool server, struct err *err)
{
    const size_t path_max = sizeof((struct sockaddr_un *)0)->sun_path - 1;

    if (strncmp(endpoint, "ipc://", 6) == 0 && endpoint[6] != '\0') {
        if (strlen(endpoint + 6) <= path_max)
            return 0;
        return err_set(err, ERR_USAGE,
                       "%s: a socket's path may have at most %zu characters; choose a "
                       "shorter folder",
                       endpoint, path_max);
    }
    if (!is_tcp(endpoint))
        return err_set(err, ERR_USAGE,
                       "`%.200s` is not an address; write ipc:///path/of/a/socket or "
                       "tcp://127.0.0.1:5555",
                       endpoint);
    if (is_loopback(endpoint + 6) || (server ? curve_has_server() : curve_has_client()))
        return 0;
    return err_set(err, ERR_REFUSED,
                   "%.200s leaves this machine, which needs keys: make them with "
                   "`relusweep keys new %s` and name their folder with --keys",
                   endpoint, server ? "coordinator" : "worker");
}

/* libzmq takes an ipc address over from its owner, so ask whether somebody answers. */
static bool
ipc_in_use(const char *endpoint)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if (strncmp(endpoint, "ipc://", 6) != 0)
        return false;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    memcpy(addr.sun_path, endpoint + 6, strlen(endpoint + 6));
    const bool used = connect(fd, (const struct sockaddr *)&addr, sizeof addr) == 0;
    close(fd);
    return used;
}

/* ---- opening ---------------------------------------------------------------------- */

static void
set_int(struct sock *s, int option, int value)
{
    const int rc = zmq_setsockopt(s->zmq, option, &value, sizeof value);

    assert(rc == 0); /* constant options of a library whose version is known */
    (void)rc;
}

/* NULL with *err filled when it cannot be opened. */
static struct sock *
open_sock(int type, const char *endpoint, bool bulk, struct err *err)
{
    const int64_t max_bytes = MSG_MAX_BYTES;
    const uint64_t io_thread = bulk ? 2 : 1; /* a mask */

    if (check_endpoint(endpoint, type == ZMQ_ROUTER, err) != 0)
        return NULL;
    pthread_once(&context_once, make_context);
    void *zmq = context != NULL ? zmq_socket(context, type) : NULL;
    if (zmq == NULL) {
        err_set(err, ERR_SYS, "open a ZeroMQ socket: %s", zmq_strerror(zmq_errno()));
        return NULL;
    }
    struct sock *s = xcalloc(1, sizeof *s);
    *s = (struct sock){.zmq = zmq, .router = type == ZMQ_ROUTER};
    set_int(s, ZMQ_LINGER, LINGER_MS);
    set_int(s, ZMQ_SNDHWM, SEND_QUEUE);
    set_int(s, ZMQ_RCVHWM, RECV_QUEUE);
    set_int(s, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    set_int(s, ZMQ_IPV6, strchr(endpoint, '[') != NULL);
    (void)zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &max_bytes, sizeof max_bytes);
    (void)zmq_setsockopt(zmq, ZMQ_AFFINITY, &io_thread, sizeof io_thread);
    return s;
}

static int
bind_failed(const char *endpoint, struct err *err)
{
    if (zmq_errno() == EADDRINUSE)
        return err_set(
            err, ERR_REFUSED,
            "%s is in use by another program (another coordinator?); stop that "
            "one or choose another address",
            endpoint);
    return err_set(err, ERR_SYS, "listen on %s: %s", endpoint,
                   zmq_strerror(zmq_errno()));
}

static int
bind_router(struct sock **out, const char *endpoint, bool bulk, struct err *err)
{
    struct sock *s = open_sock(ZMQ_ROUTER, endpoint, bulk, err);

    *out = NULL;
    if (s == NULL)
        return -1;
    set_int(s, ZMQ_SNDHWM, bulk ? BULK_QUEUE : SEND_QUEUE);
    set_int(s, ZMQ_RCVHWM, bulk ? BULK_QUEUE : RECV_QUEUE);
    s->curve = is_tcp(endpoint) && curve_has_server();
    if (s->curve)
        curve_server(s->zmq);
    set_int(s, ZMQ_ROUTER_MANDATORY, 1);
    set_int(s, ZMQ_BACKLOG, BACKLOG);
    size_t size = sizeof s->endpoint;
    errno = EADDRINUSE;
    if (ipc_in_use(endpoint) || zmq_bind(s->zmq, endpoint) != 0
        || zmq_getsockopt(s->zmq, ZMQ_LAST_ENDPOINT, s->endpoint, &size) != 0) {
        bind_failed(endpoint, err);
        sock_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

int
sock_bind(struct sock **out, const char *endpoint, struct err *err)
{
    return bind_router(out, endpoint, false, err);
}

int
sock_bind_bulk(struct sock **out, const char *endpoint, struct err *err)
{
    return bind_router(out, endpoint, true, err);
}

static int
connect_dealer(struct sock **out, const char *endpoint, bool bulk, struct err *err)
{
    struct sock *s = open_sock(ZMQ_DEALER, endpoint, bulk, err);

    *out = NULL;
    if (s == NULL)
        return -1;
    if (is_tcp(endpoint) && curve_has_client())
        s->monitor = curve_client(context, s->zmq);
    set_int(s, ZMQ_IMMEDIATE, 1);
    set_int(s, ZMQ_TCP_MAXRT, bulk ? 0 : UNANSWERED_MS);
    set_int(s, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set_int(s, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
    size_t size = sizeof s->endpoint;
    if (zmq_connect(s->zmq, endpoint) != 0
        || zmq_getsockopt(s->zmq, ZMQ_LAST_ENDPOINT, s->endpoint, &size) != 0) {
        err_set(err, ERR_USAGE, "connect to %s: %s", endpoint,
                zmq_strerror(zmq_errno()));
        sock_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

int
sock_connect(struct sock **out, const char *endpoint, struct err *err)
{
    return connect_dealer(out, endpoint, false, err);
}

int
sock_connect_bulk(struct sock **out, const char *endpoint, struct err *err)
{
    return connect_dealer(out, endpoint, true, err);
}

void
sock_reachable(char *out, size_t size, const char *told, const char *known)
{
    static const char *const everywhere[] = {
        "tcp://0.0.0.0:", "tcp://[::]:", "tcp://*:"};
    const char *port = strrchr(known, ':');

    for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++) {
        const size_t n = strlen(everywhere[i]);
        if (strncmp(told, everywhere[i], n) == 0 && is_tcp(known) && port != NULL) {
            snprintf(out, size, "%.*s:%s", (int)(port - known), known, told + n);
            return;
        }
    }
    snprintf(out, size, "%s", told);
}

void
sock_close(struct sock *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < MAX_GATHERED; i++) {
        buf_release(&s->gathered[i].bundle);
        buf_release(&s->gathered[i].only);
    }
    if (s->in_bundle)
        zmq_msg_close(&s->bundle);
    if (s->monitor != NULL)
        curve_end(s->zmq, s->monitor);
    zmq_close(s->zmq);
    free(s);
}

void
sock_finish(void)
{
    if (context != NULL)
        (void)zmq_ctx_term(context);
    context = NULL;
}

const char *
sock_endpoint(const struct sock *s)
{
    return s->endpoint;
}

/* ---- messages --------------------------------------------------------------------- */

static void
free_bytes(void *data, void *hint)
{
    (void)hint;
    free(data);
}

/* Takes the bytes; 0 sent, 1 not. */
static int
send_frame(struct sock *s, const struct sock_peer *peer, struct buf *frame)
{
    const size_t size = frame->len;
    zmq_msg_t body;

    if (s->router
        && zmq_send(s->zmq, peer->id, peer->n, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        buf_release(frame);
        return 1;
    }
    char *bytes = buf_take(frame);
    if (zmq_msg_init_data(&body, bytes, size, free_bytes, NULL) != 0) {
        free(bytes);
        return 1;
    }
    if (zmq_msg_send(&body, s->zmq, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&body);
        return 1;
    }
    return 0;
}

/* ---- gathering -------------------------------------------------------------------- */

void
sock_gather(struct sock *s)
{
    s->gathers = true;
}

/* Sends what one peer waits for; marks it when that fails. */
static void
send_gathered(struct sock *s, struct gathered *g)
{
    struct buf *frame = g->bundle.len > 0 ? &g->bundle : &g->only;

    if (frame->len > 0 && send_frame(s, &g->peer, frame) != 0)
        g->failed = true;
    buf_release(&g->bundle);
    buf_release(&g->only);
}

static bool
same_peer(const struct sock_peer *a, const struct sock_peer *b)
{
    return a->n == b->n && memcmp(a->id, b->id, a->n) == 0;
}

/* The place of this peer; NULL when all are taken. */
static struct gathered *
place_of(struct sock *s, const struct sock_peer *peer)
{
    for (size_t i = s->n_gathered; i-- > 0;)
        if (peer == NULL || same_peer(&s->gathered[i].peer, peer))
            return &s->gathered[i];
    if (s->n_gathered == MAX_GATHERED)
        return NULL;
    struct gathered *g = &s->gathered[s->n_gathered++];
    g->peer = peer != NULL ? *peer : (struct sock_peer){0};
    g->failed = false;
    return g;
}

/* Places whose messages have left and did so well are free again. */
static void
forget_sent(struct sock *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n_gathered; i++) {
        send_gathered(s, &s->gathered[i]);
        if (s->gathered[i].failed && s->router) {
            const struct gathered g = s->gathered[i];
            s->gathered[i] = s->gathered[kept];
            s->gathered[kept++] = g;
        }
    }
    s->n_gathered = kept;
}

static void
append(struct gathered *g, struct buf *frame)
{
    if (g->bundle.len == 0 && g->only.len == 0) {
        g->only = *frame;
        return;
    }
    if (g->bundle.len == 0) {
        bundle_add(&g->bundle, g->only.data, g->only.len);
        buf_release(&g->only);
    }
    bundle_add(&g->bundle, frame->data, frame->len);
    buf_release(frame);
}

static int
gather(struct sock *s, const struct sock_peer *peer, struct buf *frame)
{
    struct gathered *g = place_of(s, peer);

    if (g == NULL) {
        forget_sent(s);
        g = place_of(s, peer);
    }
    if (g == NULL || g->failed) {
        buf_release(frame);
        return 1;
    }
    if (g->bundle.len + g->only.len + frame->len > BUNDLE_MAX_BYTES)
        send_gathered(s, g);
    if (g->failed) {
        buf_release(frame);
        return 1;
    }
    append(g, frame);
    return 0;
}

int
sock_flush(struct sock *s, struct sock_peer *failed)
{
    bool lost = false;

    for (size_t i = 0; i < s->n_gathered; i++) {
        send_gathered(s, &s->gathered[i]);
        lost = lost || s->gathered[i].failed;
    }
    if (!lost) {
        s->n_gathered = 0;
        return 0;
    }
    for (size_t i = s->n_gathered; i-- > 0;) {
        const struct gathered *g = &s->gathered[i];
        if (!g->failed)
            continue;
        if (failed != NULL)
            *failed = g->peer;
        s->gathered[i] = s->gathered[--s->n_gathered];
        break;
    }
    return 1;
}

int
sock_send(struct sock *s, const struct sock_peer *peer, const struct msg *m)
{
    struct buf frame = {0};

    assert(s->router == (peer != NULL));
    msg_encode(&frame, m);
    return s->gathers ? gather(s, peer, &frame) : send_frame(s, peer, &frame);
}

/* ---- receiving -------------------------------------------------------------------- */

/* Receives one frame: 1, or 0 where there is none. */
static int
recv_frame(struct sock *s, zmq_msg_t *frame)
{
    int rc;

    zmq_msg_init(frame);
    do {
        rc = zmq_msg_recv(frame, s->zmq, ZMQ_DONTWAIT);
    } while (rc < 0 && zmq_errno() == EINTR);
    if (rc < 0)
        zmq_msg_close(frame);
    return rc >= 0;
}

/* Drops what follows `last` in its message; true when there was anything. */
static bool
drop_rest(struct sock *s, const zmq_msg_t *last)
{
    const bool any = zmq_msg_more(last);

    for (bool more = any; more;) {
        zmq_msg_t frame;
        more = recv_frame(s, &frame) && zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    return any;
}

/* The routing id in front of a ROUTER's message. 1, 0 nothing there, -1 nothing behind. */
static int
recv_peer(struct sock *s, struct sock_peer *from, struct err *err)
{
    zmq_msg_t id;

    if (!recv_frame(s, &id))
        return 0;
    const size_t n = zmq_msg_size(&id);
    const bool more = zmq_msg_more(&id);
    *from = (struct sock_peer){
        .n = (unsigned char)(n < sizeof from->id ? n : sizeof from->id)};
    memcpy(from->id, zmq_msg_data(&id), from->n);
    zmq_msg_close(&id);
    return more ? 1 : err_set(err, ERR_DATA, "message without a body");
}

/* The next message of the bundle that is open; 0 at its end. A damaged one is over. */
static int
recv_from_bundle(struct sock *s, struct sock_peer *from, struct msg *out,
                 struct arena *mem, struct err *err)
{
    const void *message;
    size_t size;
    int rc = bundle_next(zmq_msg_data(&s->bundle), zmq_msg_size(&s->bundle),
                         &s->bundle_pos, &message, &size);

    if (s->router)
        *from = s->bundle_from;
    if (rc == 1)
        return msg_decode(out, mem, message, size, err) == 0 ? 1 : -1;
    if (rc < 0)
        err_set(err, ERR_DATA, "damaged bundle of messages");
    s->in_bundle = false;
    zmq_msg_close(&s->bundle);
    return rc;
}

/* One frame from the wire, with its sender. 1, 0 nothing there, -1 damage. */
static int
recv_body(struct sock *s, struct sock_peer *from, zmq_msg_t *body, struct err *err)
{
    if (s->router) {
        const int rc = recv_peer(s, from, err);
        if (rc <= 0)
            return rc;
    }
    if (!recv_frame(s, body))
        return 0;
    int rc = 1;
    if (drop_rest(s, body))
        rc = err_set(err, ERR_DATA, "message of more than one frame");
    else if (s->router && s->curve && !curve_user(body, from->user))
        rc = err_set(err, ERR_NET, "the key of this worker was revoked");
    if (rc < 0)
        zmq_msg_close(body);
    return rc;
}

int
sock_recv(struct sock *s, struct sock_peer *from, struct msg *out, struct arena *mem,
          struct err *err)
{
    zmq_msg_t body;
    int rc = s->in_bundle ? recv_from_bundle(s, from, out, mem, err) : 0;

    if (rc != 0)
        return rc;
    rc = recv_body(s, from, &body, err);
    if (rc <= 0)
        return rc;
    if (bundle_is(zmq_msg_data(&body), zmq_msg_size(&body))) {
        s->in_bundle = true;
        s->bundle = body;
        s->bundle_pos = 0;
        if (s->router)
            s->bundle_from = *from;
        rc = recv_from_bundle(s, from, out, mem, err);
        return rc != 0 ? rc : err_set(err, ERR_DATA, "empty bundle of messages");
    }
    rc = msg_decode(out, mem, zmq_msg_data(&body), zmq_msg_size(&body), err) == 0 ? 1
                                                                                  : -1;
    zmq_msg_close(&body);
    return rc;
}

/* Messages of an open bundle are there without any news from the network. */
static bool
any_in_bundle(struct sock *const *socks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (socks[i]->in_bundle)
            return true;
    return false;
}

int
sock_wait(struct sock *const *socks, size_t n_socks, const int *fds, size_t n_fds,
          unsigned char *ready, int64_t timeout_ms)
{
    zmq_pollitem_t items[MAX_WAIT] = {0};
    const size_t n = n_socks + n_fds;
    int count = 0;

    assert(n <= MAX_WAIT);
    for (size_t i = 0; i < n; i++) {
        items[i].events = ZMQ_POLLIN;
        if (i < n_socks)
            items[i].socket = socks[i]->zmq;
        else
            items[i].fd = fds[i - n_socks];
        ready[i] = 0;
    }
    if (any_in_bundle(socks, n_socks))
        timeout_ms = 0;
    if (zmq_poll(items, (int)n, timeout_ms < 0 ? -1 : (long)timeout_ms) < 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        ready[i] = items[i].revents != 0 || (i < n_socks && socks[i]->in_bundle);
        count += ready[i];
    }
    return count;
}
