#ifndef COORDINATOR_REPORT_ABLATION_H
#define COORDINATOR_REPORT_ABLATION_H

#include "shared/base/json.h"

/* A sheet "ablation-<axis>" for every axis with a few values, in every facet: settings
 * that differ in nothing else stand in one row, each beside its difference from the
 * first. */
void ablation_add(json_t *report);

#endif
