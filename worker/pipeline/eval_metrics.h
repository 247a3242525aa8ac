#ifndef WORKER_PIPELINE_EVAL_METRICS_H
#define WORKER_PIPELINE_EVAL_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/mem.h"
#include "shared/spec/metric.h"
#include "worker/engine/net.h"
#include "worker/pipeline/eval_part.h"
#include "worker/pipeline/model_file.h"

/*
 * What stage evaluate says: final metrics, made from the answers of its parts and from
 * the network. A metric has a row in worker/methods/gives.c, the contract, which gives its
 * unit and whether more or less of it is better.
 */
struct eval_metrics {
    struct metric *items;
    size_t n, capacity;
    struct arena names;
};

/* Metrics of what was measured; parts that are not done whole are left out. test: the
 * labels; dataset: its name, for the published form of mCE. */
void eval_metrics_of_parts(struct eval_metrics *m, const struct eval_parts *p,
                           const struct dataset *test, const char *dataset);

/* ReLUs, in all and by layer, MACs, and what a cost of private inference is made of. */
void eval_metrics_of_network(struct eval_metrics *m, struct net *n);

/* How the network was selected. */
void eval_metrics_of_selection(struct eval_metrics *m, const struct model_info *info);

/* Where the corrupted images came from. */
void eval_metrics_of_corruptions(struct eval_metrics *m, bool published);

void eval_metrics_release(struct eval_metrics *m);

#endif
