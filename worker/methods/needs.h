#ifndef WORKER_METHODS_NEEDS_H
#define WORKER_METHODS_NEEDS_H

#include "shared/base/json.h"

/* Values of the stages' parameters that do not go together, as the catalogue's `needs`
 * (shared/spec/catalog.h): what a stage would refuse, `plan` refuses. New reference. */
json_t *needs_describe(void);

#endif
