#ifndef COORDINATOR_REPORT_PAPERS_H
#define COORDINATOR_REPORT_PAPERS_H

#include "coordinator/report/published.h"
#include "shared/base/json.h"

/*
 * The papers' own tables as layouts: RLNet 1, 3-6, Shallow 1, 2, BCD 2, 3. A table of
 * which some row is a setting of this report becomes a sheet: its rows in its order,
 * each metric as printed, ours (mean, spread, n) and the difference. Facets of small
 * runs are left out.
 */
void papers_add(json_t *report, const struct published *published);

#endif
