#ifndef COORDINATOR_DISPATCH_DISPATCHER_H
#define COORDINATOR_DISPATCH_DISPATCHER_H

#include <stdbool.h>

#include "coordinator/store/store.h"
#include "shared/base/err.h"
#include "shared/wire/sock.h"

/*
 * The loop that joins sessions, the queue in memory and PostgreSQL. One thread: it takes
 * all messages that have arrived, commits what they mean in one transaction on the
 * connection that holds the leader lock, and only then answers. Without the database it
 * goes on with heartbeats, grants and acknowledges nothing, and reconnects.
 */
struct dispatcher_config {
    const char *database; /* libpq connection string */
    int64_t lease_ms, heartbeat_ms;
    int64_t max_lost;       /* workers that a job may lose; 0: as in retry.h */
    struct sock *control;   /* bound; borrowed */
    struct store *store;    /* borrowed */
    const char *ready_file; /* written when workers can be served; "" none */
    const char *ready_text;
    int stop_fd; /* readable when the program shall end */
};

struct dispatcher;

/* Connects to the database; brings its schema up to date. */
MUST_CHECK int dispatcher_new(struct dispatcher **out,
                              const struct dispatcher_config *config, struct err *err);
void dispatcher_free(struct dispatcher *d);

/* Runs until stop_fd is readable. */
MUST_CHECK int dispatcher_run(struct dispatcher *d, struct err *err);

#endif
