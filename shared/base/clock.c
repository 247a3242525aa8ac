/* clock.c - monotonic and processor time; see clock.h. */
#include "shared/base/clock.h"

#include <time.h>

static double
seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double
clock_mono_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double
clock_cpu_s(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t
clock_mono_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
