#ifndef WORKER_AGENT_WORKDIR_H
#define WORKER_AGENT_WORKDIR_H

#include "shared/base/err.h"
#include "shared/base/json.h"

/* An agent's own folder: jobs/ (one folder each), spool/ (results that wait), cache/
 * (fetched files), lock. */
struct workdir {
    char *jobs, *spool, *cache; /* absolute paths */
    int lock;
};

/* Makes the folder `dir`, or with "" the default for this name, and takes its lock; a
 * second agent in one folder is ERR_REFUSED. */
MUST_CHECK int workdir_open(struct workdir *w, const char *dir, const char *name,
                            struct err *err);
void workdir_release(struct workdir *w);

/* Removes folders of jobs that no entry of the spool needs: an agent died here. */
void workdir_sweep(const struct workdir *w, const json_t *entries);

#endif
