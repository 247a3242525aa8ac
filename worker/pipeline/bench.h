#ifndef WORKER_PIPELINE_BENCH_H
#define WORKER_PIPELINE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "shared/base/err.h"
#include "shared/base/param.h"

/*
 * `relusweep-worker bench`: how fast this machine trains. Random images, random
 * weights, one untimed step, then steps until the time is up.
 */
struct bench_config {
    const char *stage; /* "teacher", "mask", "finetune": whole steps of step.h;
                          "ce": forward, cross entropy, backward, SGD, one batch norm
                          path; "eval": forward in eval mode */
    const char *model, *backend;
    int64_t batch, threads, classes, size; /* size: pixels a side */
    double seconds;
    bool json, profile;
    bool paced; /* measure again for each line of the input, instead of once */
};

/* Command-line options, rows on struct bench_config. */
extern const struct param bench_params[];
extern const size_t bench_n_params;

/* Writes one JSON object, or one line a member, to `out`: stage, model, batch, threads,
 * backend, steps, seconds, images_per_second (images of the batch, each counted once,
 * whatever the number of passes over it), gflops (2 operations a multiply-add of the
 * convolutions and the classifier, as direct convolution would need them, in 1e9 a
 * second), peak_rss_bytes (of this process). With `profile`, then where the time went
 * (bench_profile.h), as one more member of the object. Paced, it measures, without a step
 * before, for each line of `in`, which is not read otherwise, and ends with it. */
MUST_CHECK int bench_run(const struct bench_config *config, FILE *in, FILE *out,
                         struct err *err);

#endif
