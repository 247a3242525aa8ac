/* retry.c - budgets, waiting times and fingerprints. Pure; knows no database. */
#include "coordinator/dispatch/retry.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/sha256.h"

enum {
    WAIT_CAP_MS = 600 * 1000,
    LOST_CAP_MS = 5 * 1000, /* it was the worker; another one may be there at once */
    MAX_DOUBLINGS = 16,
};

static const struct budget {
    const char *name, *counter;
    int64_t forgiven; /* -1: any number */
    enum job_event then;
    int64_t wait_ms;
} budgets[] = {
#define AS_ROW(id, name, counter, forgiven, then, wait) \
    [id] = {name, counter, forgiven, then, wait},
    RETRY_KINDS(AS_ROW)
#undef AS_ROW
};

static enum retry_kind
kind_of_err(enum err_kind kind)
{
    switch (kind) {
    case ERR_NUMERIC:
    case ERR_DATA:
    case ERR_USAGE:
    case ERR_REFUSED: return RETRY_HOPELESS;
    case ERR_OOM: return RETRY_OOM;
    case ERR_CHECKPOINT:
    case ERR_STOPPED: return RETRY_STOPPED;
    case ERR_NONE:
    case ERR_SYS:
    case ERR_DB:
    case ERR_NET:
    case ERR_BUG:
    case ERR_KIND_COUNT: break;
    }
    return RETRY_ERROR;
}

enum retry_kind
retry_kind_of(const char *outcome, int64_t signal)
{
    if (strcmp(outcome, "timeout") == 0)
        return RETRY_TIMEOUT;
    if (strcmp(outcome, "lost") == 0)
        return RETRY_LOST;
    if (strcmp(outcome, "preempted") == 0)
        return RETRY_STOPPED;
    if (strcmp(outcome, "signal") == 0)
        return signal == SIGKILL ? RETRY_LOST : RETRY_ERROR;
    return kind_of_err(err_kind_find(outcome));
}

const char *
retry_counter(enum retry_kind kind)
{
    return budgets[kind].counter;
}

/* base * 2^n with a cap, +-20 %. */
static int64_t
wait_of(enum retry_kind kind, int64_t n, uint64_t seed)
{
    const int64_t cap = kind == RETRY_LOST ? LOST_CAP_MS : WAIT_CAP_MS;
    int64_t wait = budgets[kind].wait_ms << (n < MAX_DOUBLINGS ? n : MAX_DOUBLINGS);

    if (wait > cap)
        wait = cap;
    const uint64_t mixed = (seed + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    const int64_t percent = 80 + (int64_t)((mixed >> 33) % 41);
    return wait * percent / 100;
}

static struct retry_decision
decide_by_budget(enum retry_kind kind, const struct retry_history *h, uint64_t seed)
{
    const struct budget *b = &budgets[kind];
    const bool own = h->own[kind].given;
    const int64_t forgiven = own ? h->own[kind].forgiven
                             : kind == RETRY_LOST && h->max_lost > 0 ? h->max_lost
                                                                     : b->forgiven;

    if (forgiven < 0)
        return (struct retry_decision){.event = b->then, .why = "handed back"};
    if (h->n[kind] >= forgiven)
        return (struct retry_decision){
            .event = b->then,
            .why = kind == RETRY_HOPELESS
                       ? "this kind of failure repeats itself: not retried"
                       : "no retry is left"};
    if (h->same > 0 && !own)
        return (struct retry_decision){
            .event = EV_GIVE_UP,
            .why = "failed in the same way twice: not retried again"};
    return (struct retry_decision){.event = EV_TRY_AGAIN,
                                   .wait_ms = wait_of(kind, h->n[kind], seed),
                                   .why = "tried again"};
}

struct retry_decision
retry_decide(enum retry_kind kind, const struct retry_history *h, uint64_t seed)
{
    const struct retry_decision d = decide_by_budget(kind, h, seed);

    if (h->cancel_requested)
        return (struct retry_decision){.event = EV_CANCEL, .why = "cancelled"};
    if (h->hold && (d.event == EV_TRY_AGAIN || d.event == EV_HAND_BACK))
        return (struct retry_decision){.event = EV_HOLD, .why = "held: paused"};
    return d;
}

/* The folders of a path are dropped: what is left is its last part. */
static const char *
skip_folders(const char *c)
{
    const char *last = c;

    for (; *c != '\0' && !isspace((unsigned char)*c) && *c != ':' && *c != ','; c++)
        if (*c == '/')
            last = c + 1;
    return last;
}

void
retry_fingerprint(char out[RETRY_FINGERPRINT], const char *outcome, const char *text)
{
    struct buf plain = {0};

    buf_puts(&plain, outcome);
    buf_putc(&plain, '\n');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '/')
            c = skip_folders(c);
        if (*c == '\0')
            break;
        if (isdigit((unsigned char)*c)) {
            while (isxdigit((unsigned char)c[1]) || c[1] == '.' || c[1] == 'x')
                c++;
            buf_putc(&plain, '#');
        } else {
            buf_putc(&plain, *c);
        }
    }
    const struct sha256 digest = sha256_bytes(buf_str(&plain), plain.len);
    memcpy(out, digest.hex, RETRY_FINGERPRINT - 1);
    out[RETRY_FINGERPRINT - 1] = '\0';
    buf_release(&plain);
}
