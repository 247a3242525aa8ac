#ifndef COORDINATOR_REPORT_PARETO_H
#define COORDINATOR_REPORT_PARETO_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/spec/metric.h"

/*
 * The non-dominated set. A point dominates another when it is at least as good in every
 * metric and better in one; equal points do not dominate each other, so ties are all
 * kept.
 *
 * values: n rows of m metrics, row-major; goals: m directions (METRIC_NONE counts as
 * METRIC_MAX). A row with a NaN is never on the front and dominates nothing. Writes
 * on_front[0..n). O(n^2 m) in the worst case; a dominated row stops at the first
 * dominator.
 */
void pareto_front(bool *on_front, const double *values, size_t n, size_t m,
                  const enum metric_goal *goals);

#endif
