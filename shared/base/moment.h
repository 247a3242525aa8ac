#ifndef SHARED_BASE_MOMENT_H
#define SHARED_BASE_MOMENT_H

#include <stdint.h>

/* Of two moments of one clock, or two lengths of time. Knows no clock itself. */
static inline int64_t
moment_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t
moment_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
