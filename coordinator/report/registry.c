/*
 * registry.c - the formats of a report, one line each, in the order of writing, and the
 * kinds of figures, in the order of the page.
 */
#include <stddef.h>

#include "coordinator/report/figure.h"
#include "coordinator/report/format.h"

#define FORMATS(X) \
    X(csv)         \
    X(figures)     \
    X(latex)       \
    X(html)        \
    X(json)

#define DECLARE(name) extern const struct format format_##name;
FORMATS(DECLARE)
#undef DECLARE

#define ENTRY(name) &format_##name,
const struct format *const formats[] = {FORMATS(ENTRY) NULL};
#undef ENTRY

#define FIGURES(X) \
    X(pareto)      \
    X(sensitivity) \
    X(layers)      \
    X(overlap)     \
    X(norms)

#define DECLARE(name) extern const struct figure_kind figure_##name;
FIGURES(DECLARE)

#define ENTRY(name) &figure_##name,
const struct figure_kind *const figure_kinds[] = {FIGURES(ENTRY) NULL};
