#ifndef WORKER_PIPELINE_MODEL_CARD_H
#define WORKER_PIPELINE_MODEL_CARD_H

#include "shared/base/json.h"
#include "worker/data/dataset.h"
#include "worker/pipeline/model_file.h"

/*
 * What one must know to use a network that leaves this program, as JSON:
 *
 *   {"program", "model", "source", "dataset", "classes", "role", "bn_paths",
 *    "input": {"shape": [3,h,w], "range": [0,1], "layout": "NCHW", "mean", "std"},
 *    "relus", "relus_total", "relus_by_layer": [...], "macs", "parameters",
 *    "selected_on", "selection_accuracy" (per cent; absent where not measured)}
 *
 * New reference.
 */
json_t *model_card(struct net *n, const struct model_info *info,
                   const struct dataset *shape);

#endif
