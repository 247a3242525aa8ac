#ifndef COORDINATOR_WEB_SITE_H
#define COORDINATOR_WEB_SITE_H

#include <stdatomic.h>
#include <stdint.h>

#include "coordinator/web/cache.h"
#include "coordinator/web/config.h"
#include "coordinator/web/guard.h"
#include "coordinator/web/mirror.h"

/* What all threads of the page share. */
struct site {
    const struct web_config *config;
    struct guard guard;
    struct cache *cache;
    struct mirror *mirror;
    _Atomic int64_t news;    /* number of the newest change that the watcher has seen */
    _Atomic int64_t streams; /* clients that listen to it */
    _Atomic int64_t answers, failures; /* for /metrics */
};

#endif
