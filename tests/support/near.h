#ifndef TESTS_SUPPORT_NEAR_H
#define TESTS_SUPPORT_NEAR_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>

/* cmocka 1.1.5 does not compare doubles. Errors are normalised: ||got - want|| divided
 * by ||want||, so that single entries near zero do not decide. NaN is far from all. */
static inline double
near_error(const float *got, const double *want, int64_t n)
{
    double distance = 0.0, size = 0.0;

    for (int64_t i = 0; i < n; i++) {
        distance += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        size += want[i] * want[i];
    }
    return sqrt(distance / (size > 0.0 ? size : 1.0));
}

static inline int
near_check(const float *got, const double *want, int64_t n, double tolerance,
           const char *what)
{
    const double error = near_error(got, want, n);

    if (error <= tolerance)
        return 1;
    fprintf(stderr, "%s: normalised error %g, allowed %g\n", what, error, tolerance);
    return 0;
}

/* Two numbers, relative to the larger one. */
static inline int
near_number(double got, double want, double tolerance)
{
    const double scale = fabs(got) > fabs(want) ? fabs(got) : fabs(want);

    if (fabs(got - want) <= tolerance * scale)
        return 1;
    fprintf(stderr, "got %.9g, want %.9g\n", got, want);
    return 0;
}

#define assert_near(got, want, n, tolerance) \
    assert_true(near_check(got, want, n, tolerance, #got))
#define assert_near_number(got, want, tolerance) \
    assert_true(near_number(got, want, tolerance))

#endif
