/*
 * pareto.c - the non-dominated set, by its definition. Pure numbers: no names, no JSON.
 */
#include "coordinator/report/pareto.h"

#include <math.h>

static bool
has_nan(const double *row, size_t m)
{
    for (size_t k = 0; k < m; k++)
        if (isnan(row[k]))
            return true;
    return false;
}

static bool
dominates(const double *a, const double *b, size_t m, const enum metric_goal *goals)
{
    bool better = false;

    for (size_t k = 0; k < m; k++) {
        const double gain = goals[k] == METRIC_MIN ? b[k] - a[k] : a[k] - b[k];
        if (gain < 0 || isnan(gain))
            return false;
        better = better || gain > 0;
    }
    return better;
}

void
pareto_front(bool *on_front, const double *values, size_t n, size_t m,
             const enum metric_goal *goals)
{
    for (size_t i = 0; i < n; i++) {
        const double *row = values + i * m;
        on_front[i] = !has_nan(row, m);
        for (size_t j = 0; j < n && on_front[i]; j++)
            on_front[i] = !dominates(values + j * m, row, m, goals);
    }
}
