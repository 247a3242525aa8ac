#ifndef COORDINATOR_REPORT_AGGREGATE_H
#define COORDINATOR_REPORT_AGGREGATE_H

#include <stdint.h>

#include "shared/base/json.h"

/* Running mean and spread (Welford 1962), exact for equal values. Starts as {0}. */
struct aggregate {
    int64_t n;
    double mean, m2, min, max;
};

/* Values that are not finite are left out. */
void aggregate_add(struct aggregate *a, double v);

/* Sample standard deviation (n - 1); NaN when n < 2. */
double aggregate_sd(const struct aggregate *a);

/* {"mean","sd" (null when n < 2),"n","min","max","unit","goal"} New reference. */
json_t *aggregate_json(const struct aggregate *a, const char *unit, const char *goal);

/*
 * Cells (rows as in report.h) that differ in nothing but the parameters named in
 * `group_over` become one group; a cell whose parameters were seen before is the same
 * trial and is counted once. Only succeeded cells give values: what an unfinished chain
 * has measured so far belongs to another model.
 *
 * New array, groups in the order of their first cells:
 *   {"params": without group_over, "members": [indices of cells], "cells": trials,
 *    "n": succeeded trials, "complete": n == cells,
 *    "metrics": {name: {"mean","sd" (null when n < 2),"n","min","max","unit","goal"}}}
 */
json_t *aggregate_cells(const json_t *cells, const json_t *group_over);

/* Number of a metric record {"value", ...} of a cell; NaN when it is missing, not a
 * number or not finite. */
double aggregate_value(const json_t *cell, const char *metric);

#endif
