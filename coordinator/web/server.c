/*
 * server.c - evhttp. Invariant: every answer carries the headers of policy[], whatever it
 * is; nothing of a request is used before the guard has passed it.
 */
#include "coordinator/web/server.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "coordinator/web/answer.h"
#include "coordinator/web/download.h"
#include "coordinator/web/pool.h"
#include "coordinator/web/stream.h"
#include "coordinator/web/watcher.h"
#include "shared/base/mem.h"

enum { MAX_HEADERS = 16 * 1024, MAX_BODY = 64 * 1024, TIMEOUT_S = 60, PING_S = 15 };

struct server {
    struct site *site;
    struct event_base *base;
    struct evhttp *http;
    struct evhttp_bound_socket *socket;
    struct event *letters, *ping, *term, *interrupt;
    struct mailbox *mailbox;
    struct pool *pool;
    struct watcher *watcher;
    struct streams *streams;
};

static const struct {
    const char *name, *value;
} policy[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
     "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Vary", "Accept-Encoding"},
};

/* ---- answers ---------------------------------------------------------------------- */

static void
add_header(struct evkeyvalq *headers, const char *name, const char *value)
{
    if (value != NULL)
        evhttp_add_header(headers, name, value);
}

static void
set_headers(struct evkeyvalq *h, const struct response *r)
{
    for (size_t i = 0; i < sizeof policy / sizeof policy[0]; i++)
        add_header(h, policy[i].name, policy[i].value);
    add_header(h, "Content-Type", r->type);
    add_header(h, "Content-Encoding", r->is_gzip ? "gzip" : NULL);
    add_header(h, "ETag", r->etag);
    add_header(h, "Location", r->location);
    add_header(h, "Set-Cookie", r->cookie);
    add_header(h, "Cache-Control",
               r->is_forever     ? "max-age=31536000, immutable"
               : r->etag != NULL ? "no-cache"
                                 : "no-store");
}

static const char *
reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 421: return "Misdirected Request";
    case 503: return "Service Unavailable";
    default: return status < 500 ? "Refused" : "Failed";
    }
}

static void
send_response(struct evhttp_request *http, const struct response *r)
{
    struct evbuffer *body = evbuffer_new();

    set_headers(evhttp_request_get_output_headers(http), r);
    evbuffer_add(body, r->body.data, r->body.len);
    evhttp_send_reply(http, r->status, reason(r->status), body);
    evbuffer_free(body);
}

static void
refuse(struct evhttp_request *http, bool is_api, int status, const char *why)
{
    struct response r = {0};

    answer_sorry(&r, is_api, status, why);
    send_response(http, &r);
    response_release(&r);
}

/* ---- errands ---------------------------------------------------------------------- */

static void
on_gone(struct evhttp_connection *connection, void *arg)
{
    struct errand *e = arg;

    (void)connection;
    e->client = NULL;
}

static void
send_blob(struct server *s, struct evhttp_request *http, const struct response *r)
{
    set_headers(evhttp_request_get_output_headers(http), r);
    download_start(http, s->pool, r);
}

/* An errand comes back from the pool. */
static void
finish(void *arg)
{
    struct errand *e = arg;

    if (e->done != NULL) {
        e->done(e);
        return;
    }
    if (e->client != NULL) {
        struct evhttp_connection *c = evhttp_request_get_connection(e->client);
        evhttp_connection_set_closecb(c, NULL, NULL);
        if (e->response.blob != NULL)
            send_blob(e->server, e->client, &e->response);
        else
            send_response(e->client, &e->response);
    }
    errand_free(e);
}

static const char *
input_header(struct evhttp_request *http, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(http), name);
}

static int64_t
number_header(struct evhttp_request *http, const char *name)
{
    const char *text = input_header(http, name);

    return text != NULL && strlen(text) < 18 ? strtoll(text, NULL, 10) : 0;
}

static int
read_form(struct request *r, struct evhttp_request *http, struct err *err)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(http);
    const size_t size = evbuffer_get_length(body);

    return request_add_fields(r, (const char *)evbuffer_pullup(body, -1), size, err);
}

static void
start_errand(struct server *s, struct evhttp_request *http, struct request *request)
{
    struct errand *e = xcalloc(1, sizeof *e);
    const char *encoding = input_header(http, "Accept-Encoding");
    const char *known = input_header(http, "If-None-Match");

    e->request = *request;
    e->client = http;
    e->server = s;
    e->request.takes_gzip = encoding != NULL && strstr(encoding, "gzip") != NULL;
    e->request.known = known != NULL ? xstrdup(known) : NULL;
    e->request.at = number_header(http, "X-Relusweep-At");
    evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_gone, e);
    if (pool_give(s->pool, e))
        return;
    evhttp_connection_set_closecb(evhttp_request_get_connection(http), NULL, NULL);
    refuse(http, e->request.is_api, 503, "too many requests wait; try again");
    errand_free(e);
}

/* ---- requests --------------------------------------------------------------------- */

static struct guard_headers
headers_of(struct evhttp_request *http)
{
    struct guard_headers h = {
        .host = input_header(http, "Host"),
        .origin = input_header(http, "Origin"),
        .fetch_site = input_header(http, "Sec-Fetch-Site"),
        .cookie = input_header(http, "Cookie"),
        .authorization = input_header(http, "Authorization"),
        .is_post = evhttp_request_get_command(http) == EVHTTP_REQ_POST,
    };
    const struct evkeyval *field;

    for (field = evhttp_request_get_input_headers(http)->tqh_first; field != NULL;
         field = field->next.tqe_next)
        h.n_hosts += strcasecmp(field->key, "Host") == 0;
    return h;
}

/* Pages that are open to those without the token. */
static bool
is_open(const struct request *r)
{
    return strcmp(r->path, "/login") == 0 || strncmp(r->path, "/static/", 8) == 0
           || strcmp(r->path, "/livez") == 0;
}

static void
listen_to(struct server *s, struct evhttp_request *http, struct request *r)
{
    const bool first = s->site->streams == 0;

    if (!streams_add(s->streams, http, number_header(http, "Last-Event-ID")))
        refuse(http, true, 503, "too many clients listen");
    else if (first)
        watcher_wake(s->watcher);
    request_release(r);
}

static void
alive(struct evhttp_request *http)
{
    struct response r = {.status = 200, .type = "text/plain"};

    buf_puts(&r.body, "alive\n");
    send_response(http, &r);
    response_release(&r);
}

static void
take_request(struct server *s, struct evhttp_request *http, struct request *r)
{
    const struct guard_headers h = headers_of(http);
    struct err err = {0};
    const char *why;
    const int status = guard_check(&s->site->guard, &h, &why);

    r->is_post = h.is_post;
    if (status == 401 && !is_open(r) && !r->is_api && !r->is_post) {
        struct response login = {.status = 303, .location = xstrdup("/login")};
        send_response(http, &login);
        response_release(&login);
    } else if (status != 200 && !(status == 401 && is_open(r))) {
        refuse(http, r->is_api, status, why);
    } else if (r->is_post && read_form(r, http, &err) != 0) {
        refuse(http, r->is_api, 400, err.text);
    } else if (strcmp(r->path, "/livez") == 0) {
        alive(http);
    } else if (r->is_api && strcmp(r->path, "/events") == 0) {
        listen_to(s, http, r);
        return;
    } else {
        start_errand(s, http, r);
        return;
    }
    request_release(r);
}

static void
on_request(struct evhttp_request *http, void *arg)
{
    struct request r = {0};
    struct err err = {0};

    if (request_init(&r, evhttp_request_get_uri(http), &err) != 0)
        refuse(http, false, 404, err.text);
    else
        take_request(arg, http, &r);
}

/* ---- the loop --------------------------------------------------------------------- */

static void
on_news(void *arg)
{
    struct news *n = arg;
    struct server *s = n->arg;

    if (n->data != NULL)
        streams_send(s->streams, n->number, n->data);
    free(n->data);
    free(n);
}

static void
on_letters(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;

    (void)fd;
    (void)what;
    mailbox_deliver(s->mailbox);
}

static void
on_ping(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;

    (void)fd;
    (void)what;
    streams_ping(s->streams);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;

    (void)fd;
    (void)what;
    event_base_loopbreak(s->base);
}

static int
bind_http(struct server *s, struct err *err)
{
    const char *listen = s->site->config->listen;
    char host[256];
    int port;

    if (guard_split(listen, host, sizeof host, &port, err) != 0)
        return -1;
    s->http = evhttp_new(s->base);
    evhttp_set_allowed_methods(s->http,
                               EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST);
    evhttp_set_max_headers_size(s->http, MAX_HEADERS);
    evhttp_set_max_body_size(s->http, MAX_BODY);
    evhttp_set_timeout(s->http, TIMEOUT_S);
    evhttp_set_default_content_type(s->http, NULL);
    evhttp_set_gencb(s->http, on_request, s);
    s->socket = evhttp_bind_socket_with_handle(s->http, host, (unsigned short)port);
    if (s->socket == NULL && s->site->config->another_port)
        s->socket = evhttp_bind_socket_with_handle(s->http, host, 0);
    if (s->socket == NULL)
        return err_set(err, ERR_NET, "cannot listen at %s; is the port taken?", listen);
    return 0;
}

static void
add_events(struct server *s)
{
    const struct timeval ping = {.tv_sec = PING_S};

    s->letters =
        event_new(s->base, mailbox_fd(s->mailbox), EV_READ | EV_PERSIST, on_letters, s);
    s->ping = event_new(s->base, -1, EV_PERSIST, on_ping, s);
    s->term = evsignal_new(s->base, SIGTERM, on_signal, s);
    s->interrupt = evsignal_new(s->base, SIGINT, on_signal, s);
    event_add(s->letters, NULL);
    event_add(s->ping, &ping);
    event_add(s->term, NULL);
    event_add(s->interrupt, NULL);
}

int
server_new(struct server **out, struct site *site, struct err *err)
{
    struct server *s = xcalloc(1, sizeof *s);

    *out = NULL;
    s->site = site;
    s->base = event_base_new();
    if (mailbox_new(&s->mailbox, err) != 0 || bind_http(s, err) != 0) {
        server_free(s);
        return -1;
    }
    s->streams = streams_new(site);
    add_events(s);
    s->pool = pool_start(site, s->mailbox, finish);
    s->watcher = watcher_start(site, s->mailbox, on_news, s);
    *out = s;
    return 0;
}

void
server_free(struct server *s)
{
    if (s == NULL)
        return;
    watcher_stop(s->watcher);
    pool_stop(s->pool);
    streams_free(s->streams);
    mailbox_free(s->mailbox);
    struct event *const events[] = {s->letters, s->ping, s->term, s->interrupt};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i] != NULL)
            event_free(events[i]);
    if (s->http != NULL)
        evhttp_free(s->http);
    event_base_free(s->base);
    free(s);
}

int
server_port(const struct server *s)
{
    struct sockaddr_in6 address = {0}; /* its port is where that of IPv4 is */
    socklen_t size = sizeof address;

    if (getsockname(evhttp_bound_socket_get_fd(s->socket), (struct sockaddr *)&address,
                    &size)
        != 0)
        return 0;
    return ntohs(address.sin6_port);
}

void
server_run(struct server *s)
{
    event_base_dispatch(s->base);
}
