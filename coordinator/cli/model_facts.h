#ifndef COORDINATOR_CLI_MODEL_FACTS_H
#define COORDINATOR_CLI_MODEL_FACTS_H

#include "coordinator/db/db.h"

/*
 * What the report says about the trained networks themselves, read from the artifacts
 * of finished cells, one cell of each setting, and put into the report's rows:
 *
 *   "models": [{"cell": index,
 *               "layers": [{"relus", "kept"}] of every masked layer in order,
 *               "norm": {"name", "paths": [{"name", "mean": [..], "var": [..]}]}, the
 *                       statistics of the last batch norm, by channel}]
 *   "overlaps": [{"a", "b": indices of models of one network, "iou"}], the ReLUs that
 *               both keep over those that any keeps
 *
 * Cells whose model is not stored are left out. ERR_DATA for a damaged file.
 */
MUST_CHECK int model_facts_add(json_t *rows, struct db *db, int64_t sweep,
                               struct err *err);

#endif
