#ifndef COORDINATOR_WEB_LINECHART_H
#define COORDINATOR_WEB_LINECHART_H

#include <stddef.h>

#include "shared/base/buf.h"
#include "shared/base/json.h"

/* One line: its label and its points, [[step, value or null], ...], steps increasing. */
struct line {
    const char *label;
    const json_t *points;
};

/* Appends one SVG with all lines over one pair of axes, drawn by the report's emitter,
 * each thinned to at most 600 points: lowest and highest of every bucket, so that no
 * spike is lost. `title` for those who cannot see it. */
void linechart(struct buf *out, const char *title, const struct line *lines, size_t n);

#endif
