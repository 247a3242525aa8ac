#ifndef COORDINATOR_WEB_TILES_H
#define COORDINATOR_WEB_TILES_H

#include "coordinator/web/axis.h"
#include "coordinator/web/measures.h"

/* The grid over two parameters: [{"row","column","cells","done","failed","running",
 * "value": mean of `metric` over its cells or null, "n": how many have one}], at most
 * 4,000 of them. New reference. */
json_t *tiles_of(const struct mirror *m, const struct mirror_sweep *s,
                 const struct axis *rows, const struct axis *columns,
                 const struct measures *values, const char *metric);

#endif
