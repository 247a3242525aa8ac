#ifndef WORKER_PIPELINE_TRACE_SPEC_H
#define WORKER_PIPELINE_TRACE_SPEC_H

#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "worker/engine/graph.h"
#include "worker/pipeline/step.h"

/* The JSON file of a trace (trace.h), read and checked. Strings are borrowed from
 * `values`. */
struct trace_spec {
    const char *stage, *model, *dataset, *teacher_bn;
    const char *loss, *loss_weights, *pram_form, *pram_views, *attack;
    int64_t classes, attack_steps;
    double temperature, eps, attack_step, lr, momentum, weight_decay;
    float mean[3], std[3];
    struct graph_shape image; /* filled in from the data */
    struct step_config step;  /* the same as above, as a step takes it */
    json_t *values;
};

MUST_CHECK int trace_spec_read(struct trace_spec *out, const char *path,
                               struct err *err);
void trace_spec_release(struct trace_spec *s);

#endif
