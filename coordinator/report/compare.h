#ifndef COORDINATOR_REPORT_COMPARE_H
#define COORDINATOR_REPORT_COMPARE_H

#include "coordinator/report/published.h"
#include "shared/base/json.h"

/*
 * Published curves beside ours. Adds to every facet
 *
 *   "curves": {metric: [{"key", "label", "citation", "any_model",
 *              "mark": number of its looks,
 *              "points": [{"x": ReLUs, "y", "paper", "table"}] by x}]}
 *
 * and the sheet "against-published": every point of our fronts beside the best published
 * one with no more ReLUs. A facet of small runs, and a report whose x is not ReLUs, gets
 * none: those numbers cannot be compared. report["published"] names the curves; an empty
 * list stands for all that come from tables, "none" for none.
 */
void compare_add(json_t *report, const struct published *published);

/* The best published point with at most `relus` among a facet's curves of one metric, of
 * those whose network is the facet's. point NULL: there is none. Borrowed. */
struct compare_best {
    const json_t *point, *curve;
};
struct compare_best compare_best(const json_t *facet, const json_t *report,
                                 const char *metric, double relus);

#endif
