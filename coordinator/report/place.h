#ifndef COORDINATOR_REPORT_PLACE_H
#define COORDINATOR_REPORT_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* Where labels can go: boxes that are taken, firmly (markers, texts) or loosely (lines,
 * which a label may cross when there is no better place). Initialise with {0}. */

struct place_box {
    double x1, y1, x2, y2; /* x1 <= x2, y1 <= y2 */
};

struct place {
    struct place_taken *taken;
    size_t n, capacity;
};

void place_release(struct place *p);

void place_take(struct place *p, struct place_box box, bool firm);

/* A line: small loose boxes along it. */
void place_take_line(struct place *p, double x1, double y1, double x2, double y2);

/* Index of the candidate that covers the least, or -1 when each covers something firm
 * or leaves `bounds`. The first of equals. Takes its place firmly. */
int place_find(struct place *p, const struct place_box *candidates, int n,
               struct place_box bounds);

#endif
