#ifndef COORDINATOR_DISPATCH_CORE_IMPL_H
#define COORDINATOR_DISPATCH_CORE_IMPL_H

#include "coordinator/dispatch/core.h"
#include "coordinator/dispatch/heap.h"
#include "coordinator/dispatch/idmap.h"
#include "coordinator/dispatch/lease.h"
#include "coordinator/dispatch/queue.h"
#include "coordinator/dispatch/rests.h"
#include "coordinator/dispatch/roster.h"
#include "coordinator/dispatch/twins.h"

/* What core.c (leases, sessions, time) and core_grant.c (who gets the next job) share. */
struct core {
    struct core_config config;
    struct queue *ready; /* by rank, then id; payload: attempt */
    struct heap
        waiting; /* by the time when they are due; payload: attempt, rank, class */
    struct idmap leases;   /* by job */
    struct lease *orphans; /* leases that nobody claims now */
    struct roster roster;
    int64_t aside_version;  /* of the queue when workers were put aside */
    int64_t aside_ms;       /* when a machine of theirs has rested */
    int64_t quiet_until_ms; /* nobody falls silent and no deadline passes before */
    int64_t last_session, grants;
    struct rests rests;
    struct twins twins;
    struct core_action *actions;
    size_t n_actions, next_action, action_capacity;
};

struct core_action *core_add_action(struct core *core, enum core_action_kind kind,
                                    struct msg_run run);

struct lease *core_open_lease(struct core *core, struct msg_run run, int64_t class);

/* Changes who holds the lease, and both counts. s: NULL for nobody. */
void core_assign(struct core *core, struct lease *l, struct session *s);

/* Ready jobs to workers with credit. */
void core_grant(struct core *core, int64_t now_ms);

#endif
