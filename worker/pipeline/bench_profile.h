#ifndef WORKER_PIPELINE_BENCH_PROFILE_H
#define WORKER_PIPELINE_BENCH_PROFILE_H

#include <stdio.h>

#include "shared/base/json.h"
#include "worker/engine/cpu/peak.h"
#include "worker/engine/net.h"
#include "worker/engine/profile.h"

/* A finished profile and what its rows are measured against. Borrows everything. */
struct bench_profile {
    const struct profile_row *rows;
    size_t n;
    const struct net *student, *teacher; /* teacher may be NULL */
    struct cpu_peak peak;
    int64_t steps;
    int threads;
    double seconds; /* of all steps, by the clock on the wall */
};

/* Tables by pass, by op and by layer: thread time a step, its share, 2 operations a
 * multiply-add and bytes of maps a second, and how near that is to the roofs: the time
 * that the work would take at the measured peak, in percent of the time that it took.
 * Winograd's kernels get beyond 100 %: the count is that of direct convolution. */
void bench_profile_print(const struct bench_profile *p, FILE *out);

/* The rows, new reference. */
json_t *bench_profile_json(const struct bench_profile *p);

#endif
