/* core_fixture.c - a queue core, workers that say HELLO to it, and its actions as text. */
#include "tests/coordinator/dispatch/core_fixture.h"

#include <stdio.h>
#include <string.h>

int
new_core(void **state)
{
    const struct core_config config = {.lease_ms = LEASE_MS, .first_session = 1000};

    *state = core_new(&config);
    return 0;
}

int
free_core(void **state)
{
    core_free(*state);
    return 0;
}

struct session *
hello_from(struct core *core, const char *host, const char *boot, int64_t slots,
           const struct msg_run *running, size_t n_running, int64_t now)
{
    struct msg_run kill[8], copy[8];
    size_t n_kill;

    if (n_running > 0)
        memcpy(copy, running, n_running * sizeof *copy);
    const struct msg_hello h = {.name = boot,
                                .boot = boot,
                                .host = host,
                                .slots = slots,
                                .running = copy,
                                .n_running = n_running};
    struct session *s = core_hello(core, &h, now, kill, &n_kill);
    core_offer(core, s, slots - (int64_t)n_running);
    core_introduce(core, s, boot[0]);
    return s;
}

struct session *
hello(struct core *core, const char *boot, int64_t slots, const struct msg_run *running,
      size_t n_running, int64_t now)
{
    return hello_from(core, "h", boot, slots, running, n_running, now);
}

const char *
actions(struct core *core)
{
    static char text[512];
    struct core_action a;
    size_t n = 0;

    text[0] = '\0';
    while (core_next_action(core, &a)) {
        const long long job = a.run.job, attempt = a.run.attempt;
        n += (size_t)(a.kind == CORE_LEASE
                          ? snprintf(text + n, sizeof text - n, "lease %lld/%lld>%lld ",
                                     job, attempt, (long long)a.session)
                      : a.kind == CORE_LOST
                          ? snprintf(text + n, sizeof text - n, "lost %lld/%lld%s ",
                                     job, attempt, a.charged ? "!" : "")
                      : a.kind == CORE_RETURN
                          ? snprintf(text + n, sizeof text - n, "return %lld/%lld ",
                                     job, attempt)
                      : a.kind == CORE_ASK
                          ? snprintf(text + n, sizeof text - n, "ask %lld/%lld>%lld ",
                                     job, attempt, (long long)a.session)
                          : snprintf(text + n, sizeof text - n, "gone %s ", a.boot));
    }
    if (n > 0)
        text[n - 1] = '\0';
    return text;
}
