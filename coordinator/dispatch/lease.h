#ifndef COORDINATOR_DISPATCH_LEASE_H
#define COORDINATOR_DISPATCH_LEASE_H

#include "coordinator/dispatch/session.h"
#include "shared/wire/msg.h"

/* A job that a worker has, or had. Pure. */
struct lease {
    struct lease *next, **link; /* in the list of its session, or of nobody's */
    struct msg_run run;
    int64_t class;
    int64_t session;         /* 0: nobody claims it now */
    char boot[64], name[80]; /* of the worker that got it */
    int64_t deadline_ms;     /* when nobody claims it */
    bool busy;               /* an action about it is on its way to the database */
    bool unsent;    /* its commit was not confirmed: the worker knows nothing */
    bool known;     /* its worker has told of it in this session */
    bool bare;      /* see core_is_bare */
    bool unbound;   /* its stage declares nothing that a success must have */
    bool over;      /* its result has come: the worker has the slot back */
    int64_t ask_ms; /* when the worker is asked for it, unless it is known */
    bool named;     /* by the database, while that is looked at */
};

/* Into a list and out of whichever it is in; out of none is fine. */
void lease_link(struct lease **list, struct lease *l);
void lease_unlink(struct lease *l);

/* A process is of the agent that got the lease and of nobody else; a result lies in a
 * folder, which the next agent of that name inherits. Where there are keys, a name begins
 * with that of the key. */
bool lease_is_of(const struct lease *l, const struct session *s, bool result);

#endif
