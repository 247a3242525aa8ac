#ifndef COORDINATOR_REPORT_MODELS_H
#define COORDINATOR_REPORT_MODELS_H

#include "shared/base/buf.h"
#include "shared/base/json.h"

/*
 * The rows' facts about trained networks (see report.h) beside the groups that they are
 * of: report["models"] has each model with its "group", report["overlaps"] as in the
 * rows. Adds the sheet "layers" of every facet: ReLUs of each layer and how many each
 * setting keeps. Rows without such facts are fine.
 */
void models_add(json_t *report, const json_t *rows);

/* The group of a model. Borrowed. */
const json_t *models_group(const json_t *report, const json_t *model);

/* Indices of the models of one facet that have masks and leave ReLUs out. New
 * reference. */
json_t *models_reduced(const json_t *report, size_t facet);

/* "relu_budget 50k, temperature 4" for a model of a facet. Appended to `out`. */
void models_label(struct buf *out, const json_t *report, const json_t *model);

#endif
