#ifndef COORDINATOR_REPORT_CANVAS_H
#define COORDINATOR_REPORT_CANVAS_H

#include "coordinator/report/display.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Append the list as a file. The same list gives the same bytes. ERR_SYS when cairo
 * cannot. */

/* Two pixels for each unit. */
MUST_CHECK int canvas_png(struct buf *out, const struct display *d, struct err *err);

/* One page of the figure's size, 96 units an inch; text stays text. */
MUST_CHECK int canvas_pdf(struct buf *out, const struct display *d, struct err *err);

#endif
