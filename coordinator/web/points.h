#ifndef COORDINATOR_WEB_POINTS_H
#define COORDINATOR_WEB_POINTS_H

#include "coordinator/web/measures.h"

/* Rows of report_build for a sweep's plots as they are now: settings that are aggregated
 * already. texts: of db_web_sweep_texts. New reference. */
json_t *points_rows(const json_t *texts, const struct mirror_sweep *s,
                    const struct measures *v);

#endif
