#ifndef COORDINATOR_REPORT_WORK_H
#define COORDINATOR_REPORT_WORK_H

#include "shared/base/json.h"

/* The sheet "work": jobs and hours of every stage, and the hours that sharing saved. */
void work_add(json_t *report);

#endif
