#ifndef SHARED_BASE_CLOCK_H
#define SHARED_BASE_CLOCK_H

#include <stdint.h>

/* Monotonic milliseconds; the origin is arbitrary. Leases use only this. */
int64_t clock_mono_ms(void);

/* The same in nanoseconds: moments of one machine's processes can be compared. */
int64_t clock_mono_ns(void);

/* Monotonic seconds with nanosecond resolution, for measuring. */
double clock_mono_s(void);

/* Seconds of processor time that all threads of this process have used. */
double clock_cpu_s(void);

/* Lets others run for so many milliseconds; a signal may end it early. */
void clock_pause_ms(int64_t ms);

#endif
