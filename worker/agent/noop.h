#ifndef WORKER_AGENT_NOOP_H
#define WORKER_AGENT_NOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/param.h"

/*
 * A worker whose jobs end the moment they are granted, whatever their spec says: what
 * remains is the queue. It speaks the whole protocol, but runs no process and keeps no
 * spool.
 */
struct noop_config {
    const char *connect, *name, *keys;
    int64_t slots;      /* jobs at once: the credit */
    int64_t finals;     /* final metrics that each job reports */
    bool started;       /* each job says STARTED, though it has no process */
    const char *starts; /* file of (job, CLOCK_MONOTONIC ns) pairs, "" none */
};

extern const struct param noop_params[];
extern const size_t noop_n_params;

/* Runs until SIGTERM or SIGINT, or until it is refused. catalog_json: as of an agent. */
MUST_CHECK int noop_run(const struct noop_config *config, const char *catalog_json,
                        struct err *err);

#endif
