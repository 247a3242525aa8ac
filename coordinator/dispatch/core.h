#ifndef COORDINATOR_DISPATCH_CORE_H
#define COORDINATOR_DISPATCH_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/jobs.h"
#include "coordinator/db/twins.h"
#include "coordinator/dispatch/needs.h"
#include "coordinator/dispatch/session.h"
#include "shared/wire/msg.h"

/*
 * The queue in memory: ready jobs, sessions, leases. Pure: events and the time come in,
 * actions come out; no socket, no database, no clock. PostgreSQL is the truth: an action
 * is only a wish until the dispatcher has committed it and says so, and the whole state
 * can be rebuilt at any time with core_sync_*.
 *
 * All times are monotonic milliseconds.
 */
struct core;

struct core_config {
    int64_t lease_ms;      /* a worker that is silent for so long has lost its jobs */
    int64_t first_session; /* numbers of sessions grow from here */
};

enum core_action_kind {
    CORE_LEASE,  /* commit a lease of `run` to `session`, then core_leased */
    CORE_LOST,   /* commit that the worker of `run` is gone, then core_ended */
    CORE_RETURN, /* commit that `run` was handed back, then core_ended */
    CORE_GONE,   /* `boot` is not connected any more */
    CORE_ASK,    /* ask `session` for `run`: nothing has answered its GRANT */
};

struct core_action {
    enum core_action_kind kind;
    struct msg_run run;
    int64_t session;
    bool charged;   /* LOST: counts against the job */
    bool preempted; /* RETURN: its worker left */
    char boot[64];
};

struct core *core_new(const struct core_config *config);
void core_free(struct core *core);

/* ---- what the database says ------------------------------------------------------ */

/* A job may be leased after wait_ms; attempt: the number of its last one; the highest
 * rank is first; class: see rules.h. */
void core_add_ready(struct core *core, int64_t job, int64_t attempt, int64_t rank,
                    int64_t class, int64_t wait_ms, int64_t now_ms);

/* Forgets the jobs of these spans (ascending, apart from each other) that wait; what is
 * true of them is added anew. */
void core_forget(struct core *core, const struct job_span *spans, size_t n);

/* A leased job is of this class now. */
void core_reclass(struct core *core, struct msg_run run, int64_t class);

/* New rules for all grants from now on. */
void core_set_rules(struct core *core, const struct rules *rules, int64_t now_ms);

/* Were the rules of this class told? */
bool core_knows_class(const struct core *core, int64_t class);

/* Pairs of jobs of which one does the other again; each run goes to another worker than
 * its twin's, if there is one, for so long that it is free in time (twins.h). */
void core_take_twins(struct core *core, const struct twin_list *pairs);

/* Pairs up to this re-run are known. */
int64_t core_last_twin(const struct core *core);

/* What is known of the class of a leased job; NULL: nothing. Borrowed until the next
 * rules. */
const struct rules_class *core_class_of(const struct core *core, struct msg_run run);

/* Rebuilds: between begin and end, core_add_ready and core_sync_lease for everything in
 * the database. Leases whose worker is known stay with it; the others get a full grace
 * to be claimed by a HELLO. Ready jobs and leases that are not named are forgotten. */
void core_sync_begin(struct core *core);
void core_sync_lease(struct core *core, struct msg_run run, int64_t class,
                     const char *boot, const char *name, int64_t now_ms);
void core_sync_end(struct core *core);

/* The lease that CORE_LEASE asked for was committed (or the job was not ready). */
void core_leased(struct core *core, struct msg_run run, bool committed);

/* The end of an attempt was committed: its lease is closed. */
void core_ended(struct core *core, struct msg_run run);

/* ---- what workers say ------------------------------------------------------------ */

/* A HELLO. The session replaces an older one of the same process. Runs that it names and
 * that are current and its own are adopted; running ones that are not go to `kill` (room
 * for hello->n_running), *n_kill of them. A result may also be the one of an earlier
 * agent of that name. Leases of the process that it does not name are
 * handed back. */
struct session *core_hello(struct core *core, const struct msg_hello *hello,
                           int64_t now_ms, struct msg_run *kill, size_t *n_kill);

/* Where its answers go; once, before anything else is said about it. */
void core_set_peer(struct core *core, struct session *s, const struct sock_peer *peer);

/* The session of a connection, or NULL. */
struct session *core_session_at(struct core *core, const struct sock_peer *peer);

/* It is in the database as this worker: it may be given jobs. */
void core_introduce(struct core *core, struct session *s, int64_t worker);

/* READY: it has so many free slots. */
void core_offer(struct core *core, struct session *s, int64_t free);

/* The session with this number if it is alive; it was heard now. NULL: who are you? */
struct session *core_heard(struct core *core, int64_t session, int64_t now_ms);

/* Is this the first attempt of its job, of which nothing was heard since it was granted?
 * Then nothing is in the database about it but its lease, and its result needs no look at
 * anything else, unless core_bind says that it does. */
bool core_is_bare(const struct core *core, struct msg_run run);

/* A success of this run must have what its stage declares; so must one of which nobody
 * knows. */
void core_bind(struct core *core, struct msg_run run);
bool core_is_bound(const struct core *core, struct msg_run run);

/* A message about this run has come from s: it knows of the lease. False where the run
 * is not the current attempt of its job, or not of s. */
bool core_told(struct core *core, const struct session *s, struct msg_run run);

/* Its result has come from s: another job may have its slot, in the same commit even. */
void core_result(struct core *core, struct session *s, struct msg_run run);

/* BYE: the named runs are handed back; others get one more lease time, for their result
 * may be waiting on the worker's disk. The session is freed. With nothing returned also
 * for a peer that cannot be reached: it has to say HELLO again. */
void core_bye(struct core *core, struct session *s, const struct msg_run *returned,
              size_t n, int64_t now_ms);

/* A run could not be sent to its worker: nobody has it. */
void core_return(struct core *core, struct msg_run run);

/* ---- time ------------------------------------------------------------------------ */

/* Silent workers, unclaimed leases, and grants of ready jobs to credit. Call after all
 * messages that have arrived were handed in. */
void core_tick(struct core *core, int64_t now_ms);

/* This process slept or could not commit: nobody is to blame for silence until now. */
void core_forgive(struct core *core, int64_t now_ms);

/* The next action; false when there is none. */
bool core_next_action(struct core *core, struct core_action *out);

/* ---- for the dispatcher and for tests -------------------------------------------- */

/* The session with this number, or NULL. */
struct session *core_session(struct core *core, int64_t session);

/* The session that holds the lease of this very attempt, or NULL. */
struct session *core_session_of(struct core *core, struct msg_run run);

/* All sessions: start with *at = 0; NULL at the end. */
struct session *core_next_session(const struct core *core, size_t *at);

struct core_counts {
    size_t ready, waiting, leases, sessions;
};
struct core_counts core_count(const struct core *core);

#endif
