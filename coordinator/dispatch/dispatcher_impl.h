#ifndef COORDINATOR_DISPATCH_DISPATCHER_IMPL_H
#define COORDINATOR_DISPATCH_DISPATCHER_IMPL_H

#include "coordinator/db/pg.h"
#include "coordinator/dispatch/batch.h"
#include "coordinator/dispatch/core.h"
#include "coordinator/dispatch/dispatcher.h"
#include "coordinator/dispatch/idmap.h"
#include "shared/base/sha256.h"

/* What dispatcher.c (the loop), inbox.c (messages in) and outbox.c (answers out) share. */
struct dispatcher {
    struct dispatcher_config config;
    struct pg *pg; /* holds the leader lock; NULL while the database is away */
    bool leads;    /* pg holds the lock */
    int64_t epoch; /* 0 while another coordinator leads, or none was found yet */
    struct core *core;
    struct batch batch;
    struct idmap
        progress; /* by job: struct worker_progress, what was not written yet */
    struct sha256 catalog; /* digest of the catalogue that was written last */
    bool must_sync;        /* the queue in memory has to be read again */
    bool must_cancel;      /* people's requests have to be looked at */
    bool stop, announced, waiting_said;
    int64_t sync_ms, flush_ms, connect_ms, round_ms; /* monotonic */
    int64_t connect_wait_ms;
};

/* Takes every message that has arrived. */
void inbox_drain(struct dispatcher *d, int64_t now_ms);

/* After the commit of d->batch: tells the core and the workers. */
void outbox_deliver(struct dispatcher *d, int64_t now_ms);

/* Sends to a session's worker; one that cannot be reached has to say HELLO again, and
 * *s is gone then (-1). */
int outbox_send(struct dispatcher *d, struct session *s, const struct msg *m,
                int64_t now_ms);

/* A heartbeat to everyone who has not heard anything from us lately. */
void outbox_heartbeats(struct dispatcher *d, int64_t now_ms);

/* CANCEL for every open request. */
MUST_CHECK int outbox_cancels(struct dispatcher *d, int64_t now_ms, struct err *err);

#endif
