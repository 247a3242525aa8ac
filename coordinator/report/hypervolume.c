/* hypervolume.c - area under a front, and how sure it is. Pure numbers. */
#include "coordinator/report/hypervolume.h"

#include <math.h>
#include <stdlib.h>

#include "shared/base/mem.h"

enum { REPLICATES = 2000 };
static const uint64_t bootstrap_seed = 20240617;
static const double tail = 0.025;

struct point {
    double x, y; /* both so that less x and more y are better, reference at 0 */
};

static int
by_x(const void *a, const void *b)
{
    const struct point *p = a, *q = b;

    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->y < q->y) - (p->y > q->y);
}

double
hypervolume_of(const double *x, const double *y, size_t n,
               struct hypervolume_reference reference)
{
    struct point *points = xcalloc(n + 1, sizeof *points);
    const double sign = reference.goal == METRIC_MIN ? -1 : 1;
    double area = 0, height = 0;

    for (size_t i = 0; i < n; i++)
        points[i] =
            (struct point){log10(x[i] / reference.x), sign * (y[i] - reference.y)};
    qsort(points, n, sizeof *points, by_x);
    for (size_t i = 0; i < n; i++) {
        if (!(points[i].x < 0 && points[i].y > height))
            continue;
        area += -points[i].x * (points[i].y - height);
        height = points[i].y;
    }
    free(points);
    return area;
}

/* SplitMix64 (Steele, Lea, Flood 2014) at counter `i`. */
static uint64_t
random_at(uint64_t i)
{
    uint64_t z = bootstrap_seed + (i + 1) * 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Means of a setting; of draws from it, beginning at *counter, when counter is given. */
static struct point
mean_of(const struct hypervolume_setting *s, uint64_t *counter)
{
    struct point sum = {0, 0};

    for (size_t i = 0; i < s->n; i++) {
        const size_t at = counter != NULL ? random_at((*counter)++) % s->n : i;
        sum.x += s->x[at];
        sum.y += s->y[at];
    }
    return (struct point){sum.x / (double)s->n, sum.y / (double)s->n};
}

static double
volume(const struct hypervolume_setting *settings, size_t n,
       struct hypervolume_reference reference, uint64_t *counter)
{
    double *x = xcalloc(2 * n + 1, sizeof *x), *y = x + n;

    for (size_t i = 0; i < n; i++) {
        const struct point mean = mean_of(&settings[i], counter);
        x[i] = mean.x;
        y[i] = mean.y;
    }
    const double v = hypervolume_of(x, y, n, reference);
    free(x);
    return v;
}

double
hypervolume_of_means(const struct hypervolume_setting *settings, size_t n,
                     struct hypervolume_reference reference)
{
    return volume(settings, n, reference, NULL);
}

static int
by_value(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;

    return (p > q) - (p < q);
}

void
hypervolume_interval(double *lo, double *hi, const struct hypervolume_setting *settings,
                     size_t n, struct hypervolume_reference reference)
{
    double *values = xcalloc(REPLICATES, sizeof *values);
    uint64_t counter = 0;
    size_t most = 0;

    for (size_t i = 0; i < n; i++)
        most = settings[i].n > most ? settings[i].n : most;
    *lo = *hi = NAN;
    for (size_t r = 0; r < REPLICATES && most > 1; r++)
        values[r] = volume(settings, n, reference, &counter);
    if (most > 1) {
        qsort(values, REPLICATES, sizeof *values, by_value);
        *lo = values[(size_t)(tail * (REPLICATES - 1))];
        *hi = values[(size_t)ceil((1 - tail) * (REPLICATES - 1))];
    }
    free(values);
}
