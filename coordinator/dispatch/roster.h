#ifndef COORDINATOR_DISPATCH_ROSTER_H
#define COORDINATOR_DISPATCH_ROSTER_H

#include "coordinator/dispatch/heap.h"
#include "coordinator/dispatch/idmap.h"
#include "coordinator/dispatch/session.h"

/*
 * The sessions, found by number, by process and by connection, and in the order in which
 * they are served: ten thousand workers cost what their messages cost. Pure. Initialise
 * with {0}.
 */
struct roster {
    struct idmap by_id;
    struct idmap by_boot, by_peer; /* hash -> chain of sessions */
    struct heap turns;             /* by served; sessions that may have credit */
    int64_t *aside;                /* those that can be given nothing for now */
    size_t n_aside, capacity;
};

/* Frees the sessions too. */
void roster_release(struct roster *r);

/* The roster owns the session from now on; id and boot are set and stay. */
void roster_add(struct roster *r, struct session *s);

/* Takes it out and frees it. */
void roster_drop(struct roster *r, struct session *s);

/* Where the session's answers go; once. */
void roster_set_peer(struct roster *r, struct session *s, const struct sock_peer *peer);

/* NULL: there is none. */
struct session *roster_find(const struct roster *r, int64_t id);
struct session *roster_find_boot(const struct roster *r, const char *boot);
struct session *roster_find_peer(const struct roster *r, const struct sock_peer *peer);

/* ---- turns ------------------------------------------------------------------------ */

/* The session may have credit now; harmless when it has none or was told before. */
void roster_offer(struct roster *r, struct session *s);

/* The session with credit that was served least lately; it must be offered or put aside
 * again to have another turn. NULL: nobody has credit. */
struct session *roster_next_turn(struct roster *r);

/* Has no turn until roster_recall, which lets all those go back to their places. */
void roster_put_aside(struct roster *r, struct session *s);
void roster_recall(struct roster *r);

#endif
