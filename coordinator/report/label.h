#ifndef COORDINATOR_REPORT_LABEL_H
#define COORDINATOR_REPORT_LABEL_H

#include "shared/base/buf.h"
#include "shared/base/json.h"

/* Names of metrics, parameters and settings for people. */

/* The parameter that says how many ReLUs are kept, and its value for all of them. */
extern const char label_budget[]; /* "relu_budget" */
extern const char label_budget_all[];
extern const char label_evaluate[]; /* what is measured */

/* "CA" -> "Clean accuracy"; a metric without a longer name is its own. Borrowed. */
const char *label_metric(const char *name);

/* "relu_budget 50k, temperature 4" for those of `axes` that `params` has. */
void label_params(struct buf *out, const json_t *params, const json_t *axes);

/* As label_params without the budget: what sets one curve apart from another. */
void label_series(struct buf *out, const json_t *params, const json_t *axes);

/* Appends `text` to a file name: characters that one should not have become '-'. */
void label_file(struct buf *out, const char *text);

#endif
