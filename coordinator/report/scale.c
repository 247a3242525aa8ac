/* scale.c - axes: ends, ticks and positions. Knows numbers only. */
#include "coordinator/report/scale.h"

#include <math.h>
#include <stdlib.h>

#include "shared/base/mem.h"

/* A tick that rounding has put a hair outside still counts. */
static const double hair = 1e-9;

static void
add_tick(struct scale *s, double v)
{
    const double slack = hair * fmax(fabs(s->lo), fabs(s->hi));

    if (v < s->lo - slack || v > s->hi + slack)
        return;
    s->ticks = xrealloc(s->ticks, (s->n_ticks + 1) * sizeof *s->ticks);
    s->ticks[s->n_ticks++] = v;
}

/* The smallest of 1, 2, 5 times a power of ten that is at least v. */
static double
round_up(double v)
{
    const double power = pow(10, floor(log10(v) + hair));

    for (int i = 0; i < 3; i++) {
        const double factor = (const double[]){1, 2, 5}[i];
        if (factor * power >= v * (1 - hair))
            return factor * power;
    }
    return 10 * power;
}

void
scale_linear(struct scale *s, double min, double max, double margin, int wanted,
             double lowest, double highest)
{
    *s = (struct scale){0};
    if (!(max > min)) {
        const double room = fmax(fabs(max) * 0.01, 1);
        min -= room;
        max += room;
    }
    const double room = (max - min) * margin;
    s->lo = fmax(min - room, lowest);
    s->hi = fmin(max + room, highest);
    s->step = round_up((s->hi - s->lo) / wanted);
    const double first = ceil(s->lo / s->step - hair);
    const double last = floor(s->hi / s->step + hair);
    for (double k = first; k <= last; k++)
        add_tick(s, k * s->step);
}

void
scale_log(struct scale *s, double min, double max, double margin)
{
    static const double fine[] = {1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 0};
    static const double usual[] = {1, 2, 5, 0};
    static const double coarse[] = {1, 0};

    *s = (struct scale){.log = true};
    if (!(max > min)) {
        min /= 2;
        max *= 2;
    }
    const double decades = log10(max / min);
    const double *factors = decades < 0.65 ? fine : decades < 4 ? usual : coarse;
    s->lo = min * pow(10, -decades * margin);
    s->hi = max * pow(10, decades * margin);
    const int first = (int)floor(log10(s->lo)), last = (int)ceil(log10(s->hi));
    for (int e = first; e <= last; e++)
        for (const double *f = factors; *f > 0; f++)
            add_tick(s, *f * pow(10, e));
}

void
scale_set_ticks(struct scale *s, const double *values, size_t n)
{
    s->n_ticks = 0;
    s->step = 0;
    for (size_t i = 0; i < n; i++)
        add_tick(s, values[i]);
}

void
scale_release(struct scale *s)
{
    free(s->ticks);
    *s = (struct scale){0};
}

double
scale_at(const struct scale *s, double value)
{
    const double share = s->log ? log(value / s->lo) / log(s->hi / s->lo)
                                : (value - s->lo) / (s->hi - s->lo);

    return s->from + share * (s->to - s->from);
}
