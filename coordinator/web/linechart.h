#ifndef COORDINATOR_WEB_LINECHART_H
#define COORDINATOR_WEB_LINECHART_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/web/request.h"
#include "shared/base/buf.h"
#include "shared/base/json.h"

/* One line: its label and its points, [[step, value or null], ...], steps increasing. */
struct line {
    const char *label;
    const json_t *points;
};

/* The steps that are shown. */
struct steps {
    int64_t from, to;
};

/* Appends a figure: `title` with `caption` (markup, may be ""), and one SVG with all lines
 * over one pair of axes, drawn by the report's emitter. Of the steps in `range`, each line
 * is thinned to at most 600 points: lowest and highest of every bucket, so that no spike
 * is lost, and a narrower range shows more. Says in data-chart where the axes are, and in
 * data-labels what the lines, which are the last paths, are called ("a|b|"), for a
 * cursor. */
void linechart(struct buf *out, const char *title, const char *caption,
               const struct line *lines, size_t n, struct steps range);

/* The range that the fields `from` and `to` ask for, and the form that asks; its action is
 * the page itself, and fields `job` stay. */
struct steps linechart_steps(const struct request *r);
void linechart_form(struct buf *out, const struct request *r);

#endif
