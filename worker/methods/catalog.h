#ifndef WORKER_METHODS_CATALOG_H
#define WORKER_METHODS_CATALOG_H

#include "shared/base/json.h"

/* What this worker can do, as shared/spec/catalog.h describes it: every method of the
 * registry, and the limits of the ReLU budget for every model on every data set. New
 * reference. */
json_t *catalog_describe(void);

/* {"loss": "kl", ...} from "loss=kl ...", words without blanks. New reference. */
json_t *catalog_sets(const char *words);

#endif
