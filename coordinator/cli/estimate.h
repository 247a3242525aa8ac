#ifndef COORDINATOR_CLI_ESTIMATE_H
#define COORDINATOR_CLI_ESTIMATE_H

#include <stdbool.h>

#include "shared/base/json.h"
#include "shared/spec/catalog.h"

/*
 * How long a job will take: its work (shared/spec/catalog.h) by the speed of finished
 * jobs of its stage and model, else of its model, else by the catalogue's guess. Where the catalogue
 * knows no work, as long as finished jobs of the stage took. Pure.
 */
struct estimate {
    const struct catalog *catalog;
    const json_t *known; /* of db_known with "timings" of db_timings; NULL: nothing */
    json_t *speeds; /* measured ones so far, by method/stage/model; NULL at first */
    bool guessed;   /* set once a job was told by the catalogue's guess */
};

/* Seconds of one worker for a job of this specification (shared/spec/job.h), -1 where
 * nothing tells. */
double estimate_spec(struct estimate *e, const json_t *spec);
void estimate_release(struct estimate *e);

#endif
