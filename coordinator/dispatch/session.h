#ifndef COORDINATOR_DISPATCH_SESSION_H
#define COORDINATOR_DISPATCH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/dispatch/needs.h"
#include "shared/base/json.h"
#include "shared/wire/msg.h"
#include "shared/wire/sock.h"

/*
 * One worker's side of the protocol as the coordinator sees it: who it is, where its
 * answers go, when it was heard last, how many jobs it will take. Pure. Session numbers
 * are never used again, not by a later coordinator either (they contain the epoch).
 */
enum session_chain { SESSION_BY_BOOT, SESSION_BY_PEER, SESSION_CHAINS };

/* How long each side may be silent: as configured for a thousand sessions, longer for more,
 * so that a large fleet does not live for its beats. */
struct session_pace {
    int64_t beat_ms; /* the worker */
    int64_t word_ms; /* we */
};

struct session {
    int64_t id;
    char boot[64];
    char name[80];
    char host[RULES_MAX_TEXT];
    struct needs_worker has;
    struct sock_peer peer;
    int64_t worker; /* number in the database, 0: not written yet */
    int64_t slots;
    int64_t offered;   /* free slots as the worker said last, less what was granted */
    int64_t leases;    /* that it holds and whose result has not come */
    int64_t heard_ms;  /* monotonic */
    int64_t spoken_ms; /* when we sent something last */
    struct session_pace pace; /* as the worker was told */
    int64_t served;       /* order of the last grant, so that idle workers take turns */
    int64_t idle_version; /* of the queue when it had nothing for this worker */
    bool listed;          /* waits for its turn, or was put aside (roster.h) */
    struct lease *first;  /* of those that it holds (core.c) */
    struct session *next[SESSION_CHAINS]; /* with the same hash (roster.h) */
    json_t *contract; /* of its catalogue (contract.h), owned; NULL: it has none */
};

/* Of the worker that says HELLO, with this number; nothing is offered yet. The caller
 * frees it (roster.h does). */
struct session *session_of_hello(int64_t id, const struct msg_hello *hello,
                                 int64_t now_ms);

/* Jobs that may be granted now; none before the worker is in the database. Leases count
 * until their result has come, so that a READY that crossed a GRANT on the way cannot give
 * a worker two jobs for one slot. */
int64_t session_credit(const struct session *s);

/* Of a fleet of so many sessions, by the coordinator's options. */
struct session_pace session_pace(size_t n_sessions, int64_t heartbeat_ms,
                                 int64_t lease_ms);

/* Not heard for lease_ms. */
bool session_is_silent(const struct session *s, int64_t now_ms, int64_t lease_ms);

#endif
