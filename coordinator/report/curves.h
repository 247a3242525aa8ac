#ifndef COORDINATOR_REPORT_CURVES_H
#define COORDINATOR_REPORT_CURVES_H

#include "coordinator/report/chart.h"
#include "coordinator/report/display.h"
#include "coordinator/report/place.h"
#include "coordinator/report/scale.h"

/*
 * The looks of published curves. Ours have a colour and a filled or hollow shape with an
 * outline; theirs are grey, dashed, and their marks are strokes without an area (x, +,
 * stars), so that they differ in print, in grey and for every eye.
 */

/* The mark of curve `index` around (x, y), with its tooltip (NULL: none). */
void curves_mark(struct display *d, size_t index, double x, double y, const char *tip);

/* The dashed line of curve `index` through n points. */
void curves_line(struct display *d, size_t index, const struct display_point *points,
                 size_t n);

/* Lines of all curves, which lie under our points, and the room that they take. */
void curves_lines(struct display *d, const struct chart *c, const struct scale *x,
                  const struct scale *y, struct place *place);

/* Marks of all curves, on top of ours, which are larger. */
void curves_marks(struct display *d, const struct chart *c, const struct scale *x,
                  const struct scale *y);

/* Writes their names beside them, where there is room within `bounds`. */
void curves_name(struct display *d, const struct chart *c, const struct scale *x,
                 const struct scale *y, struct place *place, struct place_box bounds);

#endif
