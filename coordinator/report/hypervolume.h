#ifndef COORDINATOR_REPORT_HYPERVOLUME_H
#define COORDINATOR_REPORT_HYPERVOLUME_H

#include <stddef.h>
#include <stdint.h>

#include "shared/spec/metric.h"

/*
 * The hypervolume of a front (Zitzler and Thiele 1998) in the plane of log10 x, where
 * less is better, and y: the area between the front and a reference point (x_ref,
 * y_ref). One number for a whole curve, comparable between curves that have the same
 * reference point; its unit is that of y times decades of x.
 */

/* Values of one setting, one for each seed. */
struct hypervolume_setting {
    const double *x, *y; /* n of each; x > 0 */
    size_t n;            /* > 0 */
};

struct hypervolume_reference {
    double x, y;
    enum metric_goal goal; /* of y; METRIC_NONE counts as METRIC_MAX */
};

/* Of n points; those beyond the reference point add nothing. */
double hypervolume_of(const double *x, const double *y, size_t n,
                      struct hypervolume_reference reference);

/* Of the means of the settings. */
double hypervolume_of_means(const struct hypervolume_setting *settings, size_t n,
                            struct hypervolume_reference reference);

/* Percentile bootstrap interval (Efron 1979) of hypervolume_of_means, 95 %: seeds are
 * drawn anew within every setting. The draws come from a counter-based generator with a
 * fixed seed, so equal values give equal intervals. NaN when no setting has two seeds. */
void hypervolume_interval(double *lo, double *hi,
                          const struct hypervolume_setting *settings, size_t n,
                          struct hypervolume_reference reference);

#endif
