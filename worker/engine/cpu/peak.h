#ifndef WORKER_ENGINE_CPU_PEAK_H
#define WORKER_ENGINE_CPU_PEAK_H

#include "worker/engine/team.h"

/* What one thread can do at most while the whole team does the same: the roofs under
 * which a profile is read. */
struct cpu_peak {
    double flops; /* a second, of fused multiply-adds (2 each) on registers */
    double bytes; /* a second, of adding two arrays that do not fit in the caches */
};

/* Takes about a fifth of a second. */
struct cpu_peak cpu_peak_measure(struct team *team);

#endif
