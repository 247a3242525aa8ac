#ifndef COORDINATOR_REPORT_GROUP_H
#define COORDINATOR_REPORT_GROUP_H

#include <stdbool.h>

#include "shared/base/buf.h"
#include "shared/base/json.h"

/* Reading one group of the report document (report.h). */

/* Statistic ("mean", "sd", "min", "max", "n") of a metric; NaN when it is not there. */
double group_stat(const json_t *group, const char *metric, const char *stat);

/* Unit of a metric in this group, "" when it is not there. */
const char *group_unit(const json_t *group, const char *metric);

/* Place on the x axis: the mean of metric `x`, or the number of the parameter of that
 * name; NaN when neither is there. */
double group_x(const json_t *group, const char *x);

bool group_is_reference(const json_t *group);
bool group_is_complete(const json_t *group);
bool group_on_front(const json_t *group, const char *metric);

/* "91.20" or, where there is a spread, "91.20 ± 0.11" with `plus_minus` between them;
 * NULL leaves the spread out. */
void group_put_metric(struct buf *out, const json_t *group, const char *metric,
                      const char *plus_minus);

#endif
