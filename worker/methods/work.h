#ifndef WORKER_METHODS_WORK_H
#define WORKER_METHODS_WORK_H

#include "shared/base/json.h"
#include "worker/data/dataset.h"
#include "worker/methods/method.h"
#include "worker/models/model.h"

/* What the jobs of a stage cost, as rows of the catalogue (shared/spec/catalog.h), for
 * the hours that `plan` tells; NULL for a runner that has none. New reference. */
json_t *work_of_stage(const struct method_stage *s);

/* What those rows are counted in: multiply-adds of every network on every data set,
 * images of each, and the speed of a worker that has not been measured yet. */
json_t *work_units(void);

/* A student of this model for this data set, with two batch norms. Caller frees. */
struct graph *work_graph(const struct model *m, const struct dataset_source *d);

#endif
