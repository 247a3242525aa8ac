#ifndef COORDINATOR_REPORT_SVG_H
#define COORDINATOR_REPORT_SVG_H

#include <stdbool.h>

#include "coordinator/report/display.h"
#include "shared/base/buf.h"

/*
 * Appends the list as an SVG 1.1 element. Text stays text, markers carry their title as
 * a tooltip, looks are presentation attributes only (no style=, no script), so that a
 * strict content policy lets it through and the style sheet of a page can override it.
 * Numbers have one decimal.
 *
 * standalone: a file of its own, with paper behind; otherwise an element of a page,
 * which gives the background and the ink (`color`).
 */
void svg_draw(struct buf *out, const struct display *d, bool standalone);

#endif
