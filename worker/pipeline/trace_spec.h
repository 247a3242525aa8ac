#ifndef WORKER_PIPELINE_TRACE_SPEC_H
#define WORKER_PIPELINE_TRACE_SPEC_H

#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "worker/engine/graph.h"
#include "worker/methods/config.h"
#include "worker/pipeline/step.h"

/* The JSON file of a trace (trace.h), read and checked. Strings are borrowed from the
 * two objects at the end. */
struct trace_spec {
    struct stage_config config; /* the stage's parameters; dataset may be NULL */
    const char *teacher_bn;
    int64_t classes;
    float mean[3], std[3];
    double lr;
    struct step_config step;  /* config's, as a step takes it */
    struct graph_shape image; /* filled in from the data */
    json_t *values, *own_values;
};

MUST_CHECK int trace_spec_read(struct trace_spec *out, const char *path,
                               struct err *err);
void trace_spec_release(struct trace_spec *s);

#endif
