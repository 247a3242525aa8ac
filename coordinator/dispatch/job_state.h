#ifndef COORDINATOR_DISPATCH_JOB_STATE_H
#define COORDINATOR_DISPATCH_JOB_STATE_H

/* The words are those of the job_state enum in schema/. */
#define JOB_STATES(X)                                                     \
    X(JOB_BLOCKED, "blocked")                 /* a parent is not done */  \
    X(JOB_READY, "ready")                     /* may be leased */         \
    X(JOB_LEASED, "leased")                   /* an attempt is current */ \
    X(JOB_SUCCEEDED, "succeeded")             /* results are in */        \
    X(JOB_FAILED, "failed")                   /* no retry is left */      \
    X(JOB_QUARANTINED, "quarantined")         /* it kills its workers */  \
    X(JOB_CANCELLED, "cancelled")             /* by a person */           \
    X(JOB_UPSTREAM_FAILED, "upstream_failed") /* a parent ended badly */  \
    X(JOB_HELD, "held")                       /* a person said: not now */

#define JOB_EVENTS(X)                    \
    X(EV_PARENTS_DONE, "parents-done")   \
    X(EV_PARENT_FAILED, "parent-failed") \
    X(EV_LEASE, "lease")                 \
    X(EV_SUCCESS, "success")             \
    X(EV_TRY_AGAIN, "try-again")         \
    X(EV_HAND_BACK, "hand-back")         \
    X(EV_GIVE_UP, "give-up")             \
    X(EV_QUARANTINE, "quarantine")       \
    X(EV_CANCEL, "cancel")               \
    X(EV_HOLD, "hold")                   \
    X(EV_RESET, "reset")

#define AS_ENUM(id, name) id,
enum job_state { JOB_STATES(AS_ENUM) JOB_STATE_COUNT };
enum job_event { JOB_EVENTS(AS_ENUM) JOB_EVENT_COUNT };
#undef AS_ENUM

/* State after `on` happens in `from`, or -1 where the event is not allowed. Pure; the
 * move itself is one SQL statement of coordinator/db/jobs.c. */
int job_state_next(enum job_state from, enum job_event on);

const char *job_state_name(enum job_state state);
const char *job_event_name(enum job_event event);

#endif
