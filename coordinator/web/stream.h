#ifndef COORDINATOR_WEB_STREAM_H
#define COORDINATOR_WEB_STREAM_H

#include <stdint.h>

#include "coordinator/web/site.h"

struct evhttp_request;

/*
 * Server-sent events: every client gets the same events, in the order of their numbers.
 * One that comes back with Last-Event-ID gets what it missed, or `resync` where that is
 * not kept any more; so does one that does not read fast enough. In the loop only.
 */
struct streams;

struct streams *streams_new(struct site *site);
void streams_free(struct streams *s); /* accepts NULL */

/* Takes the request over. last: the number that the client has seen, 0: none. False,
 * and nothing is taken, when there are too many. */
bool streams_add(struct streams *s, struct evhttp_request *http, int64_t last);

/* Sends the event with the next number to all. `data` is one line of JSON. */
void streams_send(struct streams *s, int64_t number, const char *data);

/* A comment, so that nothing between us and the clients takes silence for the end. */
void streams_ping(struct streams *s);

#endif
