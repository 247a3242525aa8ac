/* session.c - credit and silence of one worker. */
#include "coordinator/dispatch/session.h"

int64_t
session_credit(const struct session *s)
{
    const int64_t room = s->slots - s->leases;
    const int64_t credit = s->offered < room ? s->offered : room;

    return credit > 0 && s->worker != 0 ? credit : 0;
}

bool
session_is_silent(const struct session *s, int64_t now_ms, int64_t lease_ms)
{
    return now_ms - s->heard_ms > lease_ms;
}
