#ifndef SHARED_BASE_CLOCK_H
#define SHARED_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic milliseconds; the origin is arbitrary. Leases use only this. */
int64_t clock_mono_ms(void);

/* Monotonic seconds with nanosecond resolution, for measuring. */
double clock_mono_s(void);

/* Seconds of processor time that all threads of this process have used. */
double clock_cpu_s(void);

#endif
