#ifndef COORDINATOR_REPORT_PNG_H
#define COORDINATOR_REPORT_PNG_H

#include "coordinator/report/display.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Appends the list as a PNG file of 2 x 2 pixels a user unit on white paper, without a
 * time chunk. Titles and links have no place in it. ERR_SYS when cairo gives up. */
MUST_CHECK int png_draw(struct buf *out, const struct display *d, struct err *err);

#endif
