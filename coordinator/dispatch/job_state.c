/* job_state.c - the life of a job, as one table. */
#include "coordinator/dispatch/job_state.h"

#include <stddef.h>

static const struct transition {
    enum job_state from;
    enum job_event on;
    enum job_state to;
} transitions[] = {
    {JOB_BLOCKED, EV_PARENTS_DONE, JOB_READY},
    {JOB_BLOCKED, EV_PARENT_FAILED, JOB_UPSTREAM_FAILED},
    {JOB_BLOCKED, EV_CANCEL, JOB_CANCELLED},
    {JOB_BLOCKED, EV_HOLD, JOB_HELD},
    {JOB_READY, EV_LEASE, JOB_LEASED},
    {JOB_READY, EV_CANCEL, JOB_CANCELLED},
    {JOB_READY, EV_HOLD, JOB_HELD},
    {JOB_LEASED, EV_SUCCESS, JOB_SUCCEEDED},
    {JOB_LEASED, EV_TRY_AGAIN, JOB_READY},
    {JOB_LEASED, EV_HAND_BACK, JOB_READY},
    {JOB_LEASED, EV_GIVE_UP, JOB_FAILED},
    {JOB_LEASED, EV_QUARANTINE, JOB_QUARANTINED},
    {JOB_LEASED, EV_CANCEL, JOB_CANCELLED},
    {JOB_LEASED, EV_HOLD, JOB_HELD},
    {JOB_FAILED, EV_RESET, JOB_BLOCKED},
    {JOB_QUARANTINED, EV_RESET, JOB_BLOCKED},
    {JOB_CANCELLED, EV_RESET, JOB_BLOCKED},
    {JOB_UPSTREAM_FAILED, EV_RESET, JOB_BLOCKED},
    {JOB_HELD, EV_RESET, JOB_BLOCKED},
    {JOB_HELD, EV_PARENT_FAILED, JOB_UPSTREAM_FAILED},
    {JOB_HELD, EV_CANCEL, JOB_CANCELLED},
};

int
job_state_next(enum job_state from, enum job_event on)
{
    for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++)
        if (transitions[i].from == from && transitions[i].on == on)
            return (int)transitions[i].to;
    return -1;
}

#define AS_NAME(id, name) [id] = name,

const char *
job_state_name(enum job_state state)
{
    static const char *const names[] = {JOB_STATES(AS_NAME)};

    return names[state];
}

const char *
job_event_name(enum job_event event)
{
    static const char *const names[] = {JOB_EVENTS(AS_NAME)};

    return names[event];
}
