#ifndef COORDINATOR_WEB_SERVER_H
#define COORDINATOR_WEB_SERVER_H

#include "coordinator/web/site.h"

/*
 * The loop around evhttp: takes requests in, lets the guard look at them, gives them to
 * the pool or the streams, sends answers out. This pair and stream.c alone know libevent.
 */
struct server;

/* Binds and starts the threads. ERR_NET when the address cannot be had. */
MUST_CHECK int server_new(struct server **out, struct site *site, struct err *err);
void server_free(struct server *s); /* accepts NULL */

/* The port that it listens at. */
int server_port(const struct server *s);

/* Serves until SIGTERM or SIGINT. */
void server_run(struct server *s);

#endif
