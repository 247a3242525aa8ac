#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/dispatch/heap.h"
#include "shared/wire/msg.h"

/*
 * A world in which the coordinator's dispatcher and the agent's session run as they are,
 * against a network, a database and a clock that follow one seed. The seams are headers:
 * the simulator defines what sock.h, writer.h, clock.h, log.h, store.h and
 * coordinator/db declare, and is linked before the libraries. One thread; everything
 * that happens is an event of `world.events`; the same seed gives the same history.
 *
 * Times are milliseconds since the beginning; each node's clock has an origin of its own.
 */
enum {
    N_COORDINATORS = 2,
    N_WORKERS = 3,
    N_NODES = N_COORDINATORS + N_WORKERS,
    MAX_JOBS = 6,
    MAX_ATTEMPTS = 40,
    MAX_BLOBS = 2000,
    LEASE_MS = 3000,
    BEAT_MS = 500,
};

enum event_kind { WAKE, PACKET, TASK, FAULT, PEOPLE, CALM };

struct node {
    char name[4];
    int64_t clock_ms; /* what its clock shows at 0 */
    bool up;
    int64_t life;      /* how often it was started */
    int64_t wake_ms;   /* when its next WAKE is; others are stale */
    int64_t paused_ms; /* stopped (SIGSTOP, suspend) until then */
};

/* What really happened to an attempt, whatever the database says. */
struct truth {
    bool leased, started, ended_ok;
    char boot[17]; /* of the worker that got the lease */
    int64_t points;
    double value;
};

struct world {
    uint64_t seed, random;
    int64_t now_ms, n_events;
    struct heap events;
    struct node nodes[N_NODES]; /* coordinators first */
    int running;                /* node that acts now, -1 none */
    int n_coordinators, n_workers;
    int64_t limit; /* of jobs of the limited class at once, 0 none */
    bool calm;     /* no more faults: everything must end well now */
    bool wild;     /* the network duplicates and reorders too */
    bool trace;    /* on stdout */
    char violation[512];
    int64_t measured[MAX_BLOBS]; /* points of the attempt before that checkpoint */
    struct truth truth[MAX_JOBS + 1][MAX_ATTEMPTS + 1];
};
extern struct world world;

/* Runs the history of one seed; false when an invariant was violated, which
 * world.violation tells. */
bool world_run(uint64_t seed, bool trace);

/* A number in 0..n-1. */
int64_t world_random(int64_t n);

/* True with this chance in a thousand while faults happen. */
bool world_fault(int64_t permille);

/* An event at a time that is not before now. */
void world_at(int64_t at_ms, enum event_kind kind, int64_t what);

/* The node shall act at that time at the latest. */
void world_wake(int node, int64_t at_ms);

/* The first violation is kept. */
void world_violated(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void world_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
#define TRACE(...)                    \
    do {                              \
        if (world.trace)              \
            world_trace(__VA_ARGS__); \
    } while (0)

/* ---- coordinators (coordinator.c, seams.c) --------------------------------------- */

void coordinator_start(int c);
/* As by SIGKILL. */
void coordinator_crash(int c);
void coordinator_wake(int c);
void coordinator_task(int c);
bool coordinator_is_idle(int c); /* leads and has nothing under way */
bool coordinator_leads(int c);
int64_t coordinator_leases(int c);
bool coordinator_over_slots(int c);

/* ---- workers (worker.c) ----------------------------------------------------------- */

void worker_start(int i);
void worker_crash(int i);
void worker_drain(int i); /* SIGTERM */
void worker_wake(int i);
void worker_message(int i, const struct msg *m);
bool worker_is_idle(int i); /* no attempt, no result on its disk */
void worker_reset(int w);   /* before a history: an empty disk */
const char *worker_boot(int w);
/* There is a process of that name. */
bool worker_lives(const char *boot);

/* ---- the network (net.c) ---------------------------------------------------------- */

void net_reset(void);
/* The socket of a coordinator; lives as long as the world. */
struct sock;
struct sock *net_sock(int c);
/* A new connection of worker w, to its next coordinator or to the same one. */
void net_connect(int w, bool next);
/* The connections of a coordinator that was started again. */
void net_reconnect_all(int c);
/* From worker w. 0 sent, 1 not now. */
int net_send(int w, const struct msg *m);
void net_deliver(int64_t slot);
/* Every connection breaks once. */
void net_break_all(void);
/* Between worker w and coordinator c; lost: what is sent meanwhile is lost. */
void net_cut(int w, int c, int64_t until_ms, bool lost);

#endif
