/* session.c - one worker: what it said it is, its credit, its silence. */
#include "coordinator/dispatch/session.h"

#include <stdio.h>

#include "shared/base/mem.h"

struct session *
session_of_hello(int64_t id, const struct msg_hello *hello, int64_t now_ms)
{
    struct session *s = xcalloc(1, sizeof *s);
    const char *labels = hello->labels != NULL ? hello->labels : "";
    const char *backend = hello->backend != NULL ? hello->backend : "";

    s->id = id;
    s->slots = hello->slots;
    s->heard_ms = s->spoken_ms = now_ms;
    s->idle_version = -1;
    snprintf(s->boot, sizeof s->boot, "%s", hello->boot);
    snprintf(s->name, sizeof s->name, "%s", hello->name);
    snprintf(s->host, sizeof s->host, "%s", hello->host);
    /* its jobs share its memory; how many threads each gets it says itself */
    s->has.memory_bytes = hello->slots > 0 ? hello->memory_bytes / hello->slots : 0;
    s->has.threads = hello->threads;
    snprintf(s->has.labels, sizeof s->has.labels, "%s", labels);
    snprintf(s->has.backend, sizeof s->has.backend, "%s", backend);
    return s;
}

int64_t
session_credit(const struct session *s)
{
    const int64_t room = s->slots - s->leases;
    const int64_t credit = s->offered < room ? s->offered : room;

    return credit > 0 && s->worker != 0 ? credit : 0;
}

/* What workers say is how their death is noticed: of a lease, what a beat may be late by
 * must remain. What we say is needed only where a machine or a network goes without a word,
 * for of a connection that ends the kernel tells; and it costs as much. */
struct session_pace
session_pace(size_t n_sessions, int64_t heartbeat_ms, int64_t lease_ms)
{
    enum { FEW = 1000, BEATS_A_S = 500, WORDS_A_S = 50, SLACK_MS = 5000 };
    const int64_t n = (int64_t)n_sessions, third = lease_ms / 3;
    const int64_t most = lease_ms - SLACK_MS > third ? lease_ms - SLACK_MS : third;
    struct session_pace pace = {heartbeat_ms, heartbeat_ms};

    if (n <= FEW)
        return pace;
    pace.beat_ms = n * 1000 / BEATS_A_S < most ? n * 1000 / BEATS_A_S : most;
    if (pace.beat_ms < heartbeat_ms)
        pace.beat_ms = heartbeat_ms;
    pace.word_ms = n * 1000 / WORDS_A_S;
    return pace;
}

bool
session_is_silent(const struct session *s, int64_t now_ms, int64_t lease_ms)
{
    return now_ms - s->heard_ms > lease_ms;
}
