#ifndef WORKER_AGENT_CACHE_H
#define WORKER_AGENT_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/* A folder of files named by their digests. */

/* A whole file of this size is there; it counts as used now. */
bool cache_has(const char *path, int64_t size);

/* Removes the files that were not used for the longest time until the rest has at most
 * max_bytes. Files that are in use elsewhere are links, so nothing is pulled away. */
void cache_trim(const char *dir, int64_t max_bytes);

#endif
