#ifndef COORDINATOR_REPORT_CHART_H
#define COORDINATOR_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/json.h"
#include "shared/base/mem.h"

/* What one plot shows, taken out of one facet of the report document: points in series,
 * the front, the all-ReLU references and published curves. Strings live in `mem` or in the document. */

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

/* A published curve: theirs, never to be taken for ours. */
struct chart_curve {
    const char *label, *citation;
    const double *x, *y; /* increasing x */
    const char **tips;
    size_t n, mark; /* mark: its looks, the same in all plots */
};

struct chart {
    const char *metric, *unit, *x, *x_unit;
    const char *title, *subtitle;
    struct chart_point *points; /* increasing x */
    size_t n_points;
    const char **series; /* labels, "" where there is only one series */
    size_t n_series;
    struct chart_reference *references;
    size_t n_references;
    struct chart_curve *curves;
    size_t n_curves;
    bool averaged; /* some point is a mean over seeds */
    const char
        *missing; /* what nothing has reported, so nothing can be drawn; or NULL */
    struct arena mem;
};

/* Series differ in the leading axes that vary, besides the budget: in as many of them
 * as give few enough series to be told apart, at least in the first. The report must
 * outlive the chart. */
void chart_init(struct chart *c, const json_t *report, const json_t *facet,
                const char *metric);
void chart_release(struct chart *c);

#endif
