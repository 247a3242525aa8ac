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
    double step; /* between ticks; 0: they are not evenly spaced */
};

/* An axis over [min, max] (min <= max, finite) with `margin` (a share of its length) on
 * either side, as far as [lowest, highest] lets it. Ticks at multiples of 1, 2 or 5
 * times a power of ten, at most about `wanted` of them. */
void scale_linear(struct scale *s, double min, double max, double margin, int wanted,
                  double lowest, double highest);

/* A logarithmic axis (0 < min <= max) with `margin` (a share of its length) on either
 * side; ticks at 1-2-5, at powers of ten for many decades, or at finer steps for less
 * than half a decade. */
void scale_log(struct scale *s, double min, double max, double margin);

/* Ticks at these increasing values instead. */
void scale_set_ticks(struct scale *s, const double *values, size_t n);

void scale_release(struct scale *s);

double scale_at(const struct scale *s, double value);

#endif
