#ifndef COORDINATOR_REPORT_VOLUMES_H
#define COORDINATOR_REPORT_VOLUMES_H

#include "shared/base/json.h"

/* The sheet "hypervolume": one number for every front, with its bootstrap interval and
 * the reference point that it is measured from. */
void volumes_add(json_t *report);

#endif
