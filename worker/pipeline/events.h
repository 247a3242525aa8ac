#ifndef WORKER_PIPELINE_EVENTS_H
#define WORKER_PIPELINE_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "shared/spec/metric.h"

/*
 * What a stage tells its agent: JSON objects, one a line, on file descriptor 3, or on
 * stdout where RELUSWEEP_EVENTS=stdout. run.h lists them. A line is written whole, at
 * once; nothing is kept back.
 */
struct events {
    int fd;
    double last_progress_s; /* of clock_mono_s, 0: none yet */
};

struct events_progress {
    int64_t epoch, epochs; /* 1-based; 0/0 where a stage has none */
    int64_t step, steps;   /* done and in all, within the stage */
    double images_per_second;
    double loss;         /* NaN: none */
    double seconds_left; /* < 0: not known yet */
};

MUST_CHECK int events_open(struct events *e, struct err *err);

/* Takes the reference to `provenance`. */
MUST_CHECK int events_started(const struct events *e, json_t *provenance,
                              struct err *err);

/* Written at most four times a second; others are dropped. */
MUST_CHECK int events_progress(struct events *e, const struct events_progress *p,
                               struct err *err);

/* Points of curves. Values that are not finite are left out. */
MUST_CHECK int events_metrics(const struct events *e, const struct metric *points,
                              size_t n, struct err *err);

/* `file` lies complete in the stage's folder. */
MUST_CHECK int events_checkpoint(const struct events *e, int64_t step, const char *file,
                                 struct err *err);

/* The end. model: file name of the artifact "model", or NULL. */
MUST_CHECK int events_result(const struct events *e, const struct metric *finals,
                             size_t n, const char *model, struct err *err);

/* The same, for a stage that makes another artifact than a model. */
MUST_CHECK int events_result_artifact(const struct events *e,
                                      const struct metric *finals, size_t n,
                                      const char *artifact, const char *file,
                                      struct err *err);

/* The other end. Best effort: there is nobody left to tell. */
void events_error(const struct events *e, const struct err *error);

#endif
