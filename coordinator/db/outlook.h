#ifndef COORDINATOR_DB_OUTLOOK_H
#define COORDINATOR_DB_OUTLOOK_H

#include "coordinator/db/db.h"

/*
 * What lies before a sweep and how its running jobs learn, for live views:
 * {"stages": [{"method", "stage", "jobs", "succeeded", "running", "waiting", "bad",
 *              "timed": finished jobs with a time, "mean", "sd": of their seconds or null,
 *              "sample": [specifications of some jobs that have not started]}],
 *  "curves": {"<job>": [training loss of each epoch so far]}}
 * Stages are in the order of their first jobs. New reference.
 */
MUST_CHECK int db_outlook(struct db *db, int64_t sweep, json_t **out, struct err *err);

#endif
