#ifndef COORDINATOR_DISPATCH_RETRY_H
#define COORDINATOR_DISPATCH_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/dispatch/job_state.h"

/*
 * What happens to a job after an attempt that did not succeed. Pure. Each kind of
 * failure has its own budget, so that a flaky machine does not use up the patience for a
 * flaky program. A sweep may give budgets of its own, which also hold for failures that
 * are all the same. Failures that must repeat (numeric, data, usage, refused) are not
 * retried at all. Kind, its counter in SQL, how many are forgiven, what follows when it
 * is one more, the first wait in ms.
 */
#define RETRY_KINDS(X)                                            \
    X(RETRY_ERROR, "error", "n_error", 2, EV_GIVE_UP, 5000)       \
    X(RETRY_LOST, "lost", "n_lost", 2, EV_QUARANTINE, 200)        \
    X(RETRY_OOM, "oom", "n_oom", 1, EV_GIVE_UP, 5000)             \
    X(RETRY_TIMEOUT, "timeout", "n_timeout", 1, EV_GIVE_UP, 5000) \
    X(RETRY_HOPELESS, "hopeless", "n_error", 0, EV_GIVE_UP, 0)    \
    X(RETRY_STOPPED, "stopped", "n_stopped", -1, EV_HAND_BACK, 0)

#define AS_ENUM(id, name, counter, forgiven, then, wait) id,
enum retry_kind { RETRY_KINDS(AS_ENUM) RETRY_KIND_COUNT };
#undef AS_ENUM

/* The kind of a RESULT's outcome ("oom", "timeout", "signal", an err_kind name, or
 * anything else: an error). A process killed by SIGKILL is lost: nobody knows why. */
enum retry_kind retry_kind_of(const char *outcome, int64_t signal);

/* The counter in the job's row that grows with this kind. */
const char *retry_counter(enum retry_kind kind);

/* What the row says before this failure is counted. */
struct retry_history {
    int64_t n[RETRY_KIND_COUNT];
    int64_t same;     /* earlier failures with the same fingerprint */
    int64_t max_lost; /* how many RETRY_LOST are forgiven; 0: as in the table */
    struct retry_own {
        bool given;
        int64_t forgiven;
    } own[RETRY_KIND_COUNT]; /* what the job's sweep says instead */
    bool cancel_requested;
    bool hold; /* what would be tried again is held */
};

struct retry_decision {
    enum job_event event; /* EV_TRY_AGAIN, EV_HAND_BACK, EV_GIVE_UP, ... */
    int64_t wait_ms;
    const char *why; /* for people; static */
};

/* seed: any number that differs between jobs, for the jitter of +-20 %. */
struct retry_decision retry_decide(enum retry_kind kind, const struct retry_history *h,
                                   uint64_t seed);

/* Failures with equal fingerprints are the same failure: 16 hexadecimal digits over the
 * outcome and the text without its numbers, addresses and folder names. */
enum { RETRY_FINGERPRINT = 17 };
void retry_fingerprint(char out[RETRY_FINGERPRINT], const char *outcome,
                       const char *text);

#endif
