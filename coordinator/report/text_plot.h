#ifndef COORDINATOR_REPORT_TEXT_PLOT_H
#define COORDINATOR_REPORT_TEXT_PLOT_H

#include "coordinator/report/chart.h"
#include "shared/base/buf.h"

/* The chart in characters, at most `columns` wide: a letter for each series (capital: on
 * the front), '-' for the all-ReLU reference, '.' for published points. Appended to
 * `out`; nothing when there is nothing to draw. */
void text_plot(struct buf *out, const struct chart *c, size_t columns);

#endif
