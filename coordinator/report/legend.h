#ifndef COORDINATOR_REPORT_LEGEND_H
#define COORDINATOR_REPORT_LEGEND_H

#include "coordinator/report/chart.h"
#include "coordinator/report/display.h"

/* Draws the legend of a chart in rows, the first with its baseline at y, from x on and
 * at most `width` wide. Only what the chart shows is explained. Returns the baseline of
 * the last row. */
double legend_draw(struct display *d, const struct chart *c, double x, double y,
                   double width);

#endif
