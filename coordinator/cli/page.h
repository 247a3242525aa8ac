#ifndef COORDINATOR_CLI_PAGE_H
#define COORDINATOR_CLI_PAGE_H

#include <time.h>

#include "coordinator/cli/view.h"

/* How to draw, and what for. */
struct page_look {
    int columns, rows;
    bool colour, utf8;
    time_t now;       /* local time tells when the sweep will be done */
    const char *note; /* what has to be said now, in place of the last line; or NULL */
};

/*
 * A sweep on a whole screen: name, counts, what is left, a bar for each stage, running
 * jobs with curves of their losses, failures by cause. At most `rows` lines separated by
 * '\n', each narrower than `columns`; what there is no room for is counted. Pure.
 */
void page_draw(struct buf *out, const struct picture *now,
               const struct page_look *look);

#endif
