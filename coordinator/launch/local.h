#ifndef COORDINATOR_LAUNCH_LOCAL_H
#define COORDINATOR_LAUNCH_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

/*
 * A coordinator, a worker and the page as child processes on this machine. They talk
 * through unix sockets in a folder that only we can enter. What dies is started again;
 * what keeps dying is an error with the end of its log, unless it is the page, without
 * which the sweep goes on.
 */
enum { LOCAL_MAX_NOOP = 16 };

struct local_config {
    const char *state_dir;
    const char *conninfo; /* for the coordinator; workers get no database access */
    int64_t slots;        /* jobs at once */
    int64_t threads;      /* of each job; 0: the running jobs share the cores */
    const char *backend;  /* "auto", "dnnl", "blas" */
    const char *profile;  /* numerics profile */
    const char *data;     /* data folder, "" for the default places */
    int64_t checkpoint_seconds;
    bool files; /* of so large artifacts, in STATE/artifacts */
    int64_t artifact_min_mib;
    const char *page; /* HOST:PORT of the page, or another port; NULL or "": none */
    /* > 0: so many workers whose jobs end at once, instead of a real one; the metrics of
     * each job, whether it says STARTED, and whether STATE/noop-<i>.starts shall say when
     * each began */
    int64_t noop, finals;
    bool started, starts;
    /* folder of keys: the programs talk TCP with CURVE instead of unix sockets; NULL */
    const char *keys;
};

struct local;

/* Takes the state folder (made if needed) for the programs, before anything is changed
 * in it. ERR_REFUSED when another command has it; *out is NULL after an error. */
MUST_CHECK int local_reserve(struct local **out, const char *state_dir,
                             struct err *err);

/* Starts the programs; returns when the coordinator accepts workers. What was started
 * before an error is stopped by local_stop. */
MUST_CHECK int local_start(struct local *l, const struct local_config *config,
                           struct err *err);

/* Where the page is; NULL: there is none. Caller frees. */
char *local_page_url(const struct local *l);

/* To be called a few times a second. */
MUST_CHECK int local_tend(struct local *l, struct err *err);

/* Workers write checkpoints and leave, then the coordinator ends, and the state folder
 * is free again. Accepts NULL. */
void local_stop(struct local *l);

#endif
