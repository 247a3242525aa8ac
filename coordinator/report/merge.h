#ifndef COORDINATOR_REPORT_MERGE_H
#define COORDINATOR_REPORT_MERGE_H

#include "shared/base/json.h"

/*
 * Rows of several sweeps (an array of documents as in report.h) as one document: cells
 * one after another, all axes, and every parameter that the sweeps choose differently
 * becomes an axis. What is asked for (x, group_over, ...) is that of the first; metrics
 * of y and references are those of all. "sweeps" keeps name, title, file and sets of
 * each. New reference; the documents are not changed.
 */
json_t *report_merge(const json_t *list);

#endif
