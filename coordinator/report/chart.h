#ifndef COORDINATOR_REPORT_CHART_H
#define COORDINATOR_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/json.h"
#include "shared/base/mem.h"

/* What one plot shows, taken out of the report document: points in series, the front
 * and the all-ReLU references. Strings live in `mem` or in the document. */

struct chart_point {
    double x, y, sd; /* sd: NaN when n < 2 */
    size_t series;
    bool complete, on_front;
    const char *tip; /* tooltip */
};

struct chart_reference {
    double x, y; /* x: NaN when it is not known */
    const char *label, *tip;
};

struct chart {
    const char *metric, *unit, *x;
    const char *title, *subtitle;
    struct chart_point *points; /* increasing x */
    size_t n_points;
    const char **series; /* labels, "" where there is only one series */
    size_t n_series;
    struct chart_reference *references;
    size_t n_references;
    const char
        *missing; /* what nothing has reported, so nothing can be drawn; or NULL */
    struct arena mem;
};

/* Series differ in the leading axes that vary, besides the budget: in as many of them
 * as give few enough series to be told apart, at least in the first. The report must
 * outlive the chart. */
void chart_init(struct chart *c, const json_t *report, const char *metric);
void chart_release(struct chart *c);

#endif
