#ifndef COORDINATOR_REPORT_SMALL_H
#define COORDINATOR_REPORT_SMALL_H

#include <stdbool.h>

#include "shared/base/buf.h"
#include "shared/base/json.h"

/* Which runs are too small to stand beside published numbers: part of the data or fewer
 * epochs than the papers train for. */

/* Of one cell or group, by its parameters. */
bool small_params(const json_t *params);

/* "8,000 training images, teacher_epochs 4": the smallest of each limit over `cells`;
 * nothing when there is no limit. Appended to `out`. */
void small_limits(struct buf *out, const json_t *cells);

#endif
