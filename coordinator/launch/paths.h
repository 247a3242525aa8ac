#ifndef COORDINATOR_LAUNCH_PATHS_H
#define COORDINATOR_LAUNCH_PATHS_H

#include "shared/base/err.h"

/*
 * Folder for unix sockets: <state>/<leaf>, or a short one of our own in /tmp when the
 * path would not fit into a socket address (107 bytes). Not made yet; caller frees.
 */
char *paths_socket_dir(const char *state_dir, const char *leaf);

/* Makes the state folder and those above it. ERR_DB, because nothing can be stored. */
MUST_CHECK int paths_make_state_dir(const char *state_dir, struct err *err);

#endif
