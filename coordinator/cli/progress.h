#ifndef COORDINATOR_CLI_PROGRESS_H
#define COORDINATOR_CLI_PROGRESS_H

#include <stdio.h>

#include "coordinator/cli/view.h"

/*
 * A sweep in lines. On a terminal (`redraw`) a few that are drawn in place, cut to its
 * width; else a plain line when a count changes, and every ten seconds. `trouble`: say
 * when no program is there that could do the work.
 */
struct view *progress_new(FILE *to, bool redraw, bool trouble);

#endif
