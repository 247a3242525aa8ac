#ifndef COORDINATOR_DISPATCH_OP_H
#define COORDINATOR_DISPATCH_OP_H

#include <stdbool.h>

#include "coordinator/db/artifacts.h"
#include "coordinator/db/jobs.h"
#include "coordinator/dispatch/session.h"
#include "shared/base/mem.h"
#include "shared/wire/msg.h"

/*
 * Something to commit: one event about one attempt or one worker, and what came of it.
 * Ops are collected while messages are read, and then written in one transaction; only
 * after its commit does anybody hear of them.
 */
enum op_kind {
    OP_HELLO,  /* a worker process, with its catalogue */
    OP_GONE,   /* a worker process is not connected any more */
    OP_LEASE,  /* a ready job becomes an attempt */
    OP_LOST,   /* the worker of an attempt is gone */
    OP_RETURN, /* an attempt was handed back */
    OP_STARTED,
    OP_METRICS,
    OP_LOG,
    OP_CHECKPOINT,
    OP_RESULT,
};

struct op {
    enum op_kind kind;
    struct msg_run run;
    int64_t session;         /* that it came from or goes to */
    int64_t worker;          /* that session's number in the database */
    bool charged;            /* LOST: counts against the job */
    bool preempted;          /* RETURN: its worker left */
    int64_t max_lost;        /* workers that a job may lose; 0: as in retry.h */
    bool foreign;            /* STARTED and what follows: not of a run of its session */
    bool bare;               /* RESULT: see core_is_bare */
    const char *boot;        /* GONE */
    const struct msg *m;     /* HELLO and what follows STARTED */
    json_t *contract;        /* RESULT: of its worker's catalogue, owned; or NULL */
    const char *catalog;     /* HELLO: canonical, NULL when it is known already */
    const struct msg *reply; /* HELLO: the WELCOME */

    /* Outcome. Strings are static or live in the arena that op_apply was given. */
    const char *disposition; /* of the ACK, NULL: no ACK */
    const char *detail;
    bool handled;                /* op_apply_all is done with it */
    bool done;                   /* LEASE, ends: committed */
    bool rules_changed;          /* ends: others may be held, or a machine rests */
    bool failed;                 /* could not be written: as if it had not arrived */
    int64_t number;              /* HELLO: the worker's number */
    struct job_ready_list ready; /* jobs that may be leased now */
    char *digest, *spec;         /* LEASE: what the GRANT carries */
    struct artifact_inputs inputs;
    struct artifact_checkpoint resume;
};

/* Does the op's part of a transaction that the caller has begun; op_bulk.h does many. */
MUST_CHECK int op_apply(struct pg *pg, struct op *op, struct arena *mem,
                        struct err *err);

/* Points of a message as the database takes them. */
struct metric *op_metrics(const struct msg_point *points, size_t n, struct arena *mem);

/* Frees the outcome, so that the op can be applied again. */
void op_reset(struct op *op);

#endif
