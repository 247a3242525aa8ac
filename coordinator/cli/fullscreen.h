#ifndef COORDINATOR_CLI_FULLSCREEN_H
#define COORDINATOR_CLI_FULLSCREEN_H

#include "coordinator/cli/view.h"

/* The view of `watch` in a terminal: page.h on screen.h. NULL: there is no terminal that
 * can do it. */
struct view *fullscreen_new(bool colour);

#endif
