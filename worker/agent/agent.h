#ifndef WORKER_AGENT_AGENT_H
#define WORKER_AGENT_AGENT_H

#include "shared/base/err.h"

/*
 * `relusweep-worker agent`: asks a coordinator for jobs and runs each in a process of its
 * own (`/proc/self/exe stage DIR`). Stateless but for results that wait for their
 * acknowledgement. Returns 0 after SIGTERM, SIGINT or --stop-when-idle, when running jobs
 * have been handed back. catalog_json: what this worker can do (shared/spec/catalog.h);
 * best_backend: the backend that --backend auto means.
 * ERR_REFUSED: the coordinator will not have this worker. Prints help for --help.
 */
MUST_CHECK int agent_main(int argc, char **argv, const char *catalog_json,
                          const char *best_backend, struct err *err);

#endif
