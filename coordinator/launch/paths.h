#ifndef COORDINATOR_LAUNCH_PATHS_H
#define COORDINATOR_LAUNCH_PATHS_H

/*
 * Folder for unix sockets: <state>/<leaf>, or a short one of our own in /tmp when the
 * path would not fit into a socket address (107 bytes). Not made yet; caller frees.
 */
char *paths_socket_dir(const char *state_dir, const char *leaf);

#endif
