/* registry.c - the formats of a report, one line each, in the order of writing. */
#include "coordinator/report/format.h"

#include <stddef.h>

#define FORMATS(X) \
    X(csv)         \
    X(figures)     \
    X(html)        \
    X(json)

#define DECLARE(name) extern const struct format format_##name;
FORMATS(DECLARE)

#define ENTRY(name) &format_##name,
const struct format *const formats[] = {FORMATS(ENTRY) NULL};
