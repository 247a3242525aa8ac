#ifndef COORDINATOR_WEB_CACHE_H
#define COORDINATOR_WEB_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/web/response.h"

/*
 * Answers that were made, for the next one who asks the same of the same moment of the
 * database: a thousand open pages cost one rendering for each change. Safe for threads.
 */
struct cache;

struct cache *cache_new(void);
void cache_free(struct cache *c);

/* An answer to `key` of this very moment (NULL: any), or one that knows of the news with
 * number `at` (0: no such). */
bool cache_get(struct cache *c, const char *key, const char *moment, int64_t at,
               struct response *out);

/* Keeps a copy, unless it is very large. `news`: the number that it knows of. */
void cache_put(struct cache *c, const char *key, const char *moment, int64_t news,
               const struct response *r);

#endif
