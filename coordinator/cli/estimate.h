#ifndef COORDINATOR_CLI_ESTIMATE_H
#define COORDINATOR_CLI_ESTIMATE_H

#include <stdbool.h>

#include "coordinator/sweep/sweep.h"

/*
 * How long a job will take: its work (shared/spec/catalog.h) by the speed of finished
 * jobs of its stage and model, else of its model, else by the catalogue's guess. Where the catalogue knows no work, as long as finished jobs of the stage took. Pure.
 */
struct estimate {
    const struct catalog *catalog;
    const json_t *known; /* of db_known with "timings" of db_timings; NULL: nothing */
    json_t *speeds; /* measured ones so far, by method/stage/model; NULL at first */
    bool guessed;   /* set once a job was told by the catalogue's guess */
};

/* Seconds of one worker, -1 where nothing tells. */
double estimate_job(struct estimate *e, const struct dag_job *job);
void estimate_release(struct estimate *e);

#endif
