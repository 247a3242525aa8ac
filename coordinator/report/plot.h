#ifndef COORDINATOR_REPORT_PLOT_H
#define COORDINATOR_REPORT_PLOT_H

#include "coordinator/report/chart.h"
#include "coordinator/report/display.h"

/* Draws a chart on a new display list (640 x 440): accuracy, linear, against ReLUs,
 * logarithmic; one colour and one marker shape a series, hollow where cells are
 * missing, bars of one standard deviation, the front as a step line, references dashed.
 * A chart with nothing to draw says so in words. Release with display_release. */
void plot_draw(struct display *out, const struct chart *c);

#endif
