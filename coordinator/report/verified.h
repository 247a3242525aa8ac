#ifndef COORDINATOR_REPORT_VERIFIED_H
#define COORDINATOR_REPORT_VERIFIED_H

#include "shared/base/json.h"

/* Adds to `notes` in sentences what came of the jobs that were done twice: how many pairs
 * have the same bits, on how many workers, and the first few that differ. verified: as in
 * report.h; nothing is added where it is NULL or empty. */
void verified_notes(json_t *notes, const json_t *verified);

#endif
