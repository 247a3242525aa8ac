#ifndef COORDINATOR_DB_JOBMETRICS_H
#define COORDINATOR_DB_JOBMETRICS_H

#include "coordinator/db/db.h"

/* Everything that one job has measured, for export:
 * {"id","digest","method","stage","state","attempt","params","seconds","worker",
 *  "started_ms","ended_ms" (since 1970; null: not yet),
 *  "finals": [{"name","value","unit","goal"}] by name,
 *  "curves": [{"name","unit","points": [[step, value], ...] by step}] by name}
 * Of a step that several attempts have reached the newest counts. A value that is not
 * finite is null. ERR_USAGE when there is no such job. */
MUST_CHECK int db_job_metrics(struct db *db, int64_t job, json_t **out,
                              struct err *err);

#endif
