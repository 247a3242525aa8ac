#ifndef COORDINATOR_REPORT_SCALE_H
#define COORDINATOR_REPORT_SCALE_H

#include <stdbool.h>
#include <stddef.h>

/* An axis: values to positions, and where its ticks are. */
struct scale {
    bool log;
    double lo, hi;   /* ends of the axis, as values */
    double from, to; /* the same ends, as positions */
    double *ticks;   /* increasing, within [lo, hi] */
    size_t n_ticks;
    double step; /* between the ticks of a linear axis; 0: logarithmic */
};

/* An axis over [min, max] (min <= max, finite) with round ends and ticks at 1, 2 or 5
 * times a power of ten, about `wanted` of them. The ends stay in [lowest, highest]. */
void scale_linear(struct scale *s, double min, double max, int wanted, double lowest,
                  double highest);

/* A logarithmic axis (0 < min <= max) with `margin` (a share of its length) on either
 * side; ticks at 1-2-5, at powers of ten for many decades, or at finer steps for less
 * than half a decade. */
void scale_log(struct scale *s, double min, double max, double margin);

void scale_release(struct scale *s);

double scale_at(const struct scale *s, double value);

#endif
