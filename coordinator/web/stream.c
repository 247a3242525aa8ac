/*
 * stream.c - clients that listen, and a ring of the newest events. Invariant: a client
 * sees numbers that grow, without gaps, or a `resync` in place of what it missed.
 */
#include "coordinator/web/stream.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { RING = 512, MAX_STREAMS = 4000, MAX_BACKLOG = 64 * 1024, IDLE_S = 3600 };

struct stream {
    struct evhttp_request *http;
    struct streams *all;
    struct stream *next, **place;
    bool is_behind; /* did not get the newest events */
};

struct event_text {
    int64_t number;
    char *text; /* as it goes over the wire */
};

struct streams {
    struct site *site;
    struct stream *first;
    struct event_text ring[RING];
    size_t n; /* events that there ever were; the newest is at (n - 1) % RING */
};

struct streams *
streams_new(struct site *site)
{
    struct streams *s = xcalloc(1, sizeof *s);

    s->site = site;
    return s;
}

static void
forget(struct stream *c)
{
    *c->place = c->next;
    if (c->next != NULL)
        c->next->place = c->place;
    c->all->site->streams--;
    free(c);
}

static void
on_close(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    forget(arg);
}

void
streams_free(struct streams *s)
{
    if (s == NULL)
        return;
    for (struct stream *c = s->first, *next; c != NULL; c = next) {
        next = c->next;
        evhttp_connection_set_closecb(evhttp_request_get_connection(c->http), NULL,
                                      NULL);
        free(c);
    }
    for (int i = 0; i < RING; i++)
        free(s->ring[i].text);
    free(s);
}

static size_t
backlog(const struct stream *c)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(c->http);
    struct bufferevent *b = evhttp_connection_get_bufferevent(connection);

    return evbuffer_get_length(bufferevent_get_output(b));
}

static void
send_text(struct stream *c, const char *text)
{
    struct evbuffer *b = evbuffer_new();

    evbuffer_add(b, text, strlen(text));
    evhttp_send_reply_chunk(c->http, b);
    evbuffer_free(b);
}

static void
send_resync(struct stream *c, int64_t number)
{
    char *text = xasprintf("id: %lld\nevent: resync\ndata: {}\n\n", (long long)number);

    send_text(c, text);
    free(text);
}

static struct event_text *
newest(struct streams *s)
{
    return s->n > 0 ? &s->ring[(s->n - 1) % RING] : NULL;
}

/* What came after `last`. */
static void
catch_up(struct stream *c, int64_t last)
{
    struct streams *s = c->all;
    const size_t kept = s->n < RING ? s->n : RING;
    size_t i = s->n - kept;

    if (last == s->site->news)
        return;
    while (i < s->n && s->ring[i % RING].number != last)
        i++;
    if (i == s->n) {
        send_resync(c, s->site->news);
        return;
    }
    for (i++; i < s->n; i++)
        send_text(c, s->ring[i % RING].text);
}

static void
set_headers(struct evhttp_request *http)
{
    struct evkeyvalq *h = evhttp_request_get_output_headers(http);

    evhttp_add_header(h, "Content-Type", "text/event-stream");
    evhttp_add_header(h, "Cache-Control", "no-store");
    evhttp_add_header(h, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(h, "X-Accel-Buffering", "no");
}

bool
streams_add(struct streams *s, struct evhttp_request *http, int64_t last)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(http);
    struct stream *c;

    if (s->site->streams >= MAX_STREAMS)
        return false;
    c = xcalloc(1, sizeof *c);
    c->http = http;
    c->all = s;
    c->next = s->first;
    c->place = &s->first;
    if (s->first != NULL)
        s->first->place = &c->next;
    s->first = c;
    s->site->streams++;
    set_headers(http);
    evhttp_connection_set_timeout(connection, IDLE_S);
    evhttp_connection_set_closecb(connection, on_close, c);
    evhttp_send_reply_start(http, 200, "OK");
    send_text(c, "retry: 1000\n\n");
    if (last > 0)
        catch_up(c, last);
    return true;
}

static void
remember(struct streams *s, int64_t number, const char *data)
{
    struct event_text *e = &s->ring[s->n++ % RING];

    free(e->text);
    e->number = number;
    e->text =
        xasprintf("id: %lld\nevent: change\ndata: %s\n\n", (long long)number, data);
}

void
streams_send(struct streams *s, int64_t number, const char *data)
{
    remember(s, number, data);
    for (struct stream *c = s->first, *next; c != NULL; c = next) {
        next = c->next;
        if (backlog(c) > MAX_BACKLOG) {
            c->is_behind = true;
        } else if (c->is_behind) {
            c->is_behind = false;
            send_resync(c, number);
        } else {
            send_text(c, newest(s)->text);
        }
    }
}

void
streams_ping(struct streams *s)
{
    for (struct stream *c = s->first, *next; c != NULL; c = next) {
        next = c->next;
        if (backlog(c) > MAX_BACKLOG)
            continue;
        if (c->is_behind) {
            c->is_behind = false;
            send_resync(c, s->site->news);
        } else {
            send_text(c, ": still here\n\n");
        }
    }
}
