#ifndef SHARED_BASE_CGROUP_H
#define SHARED_BASE_CGROUP_H

#include <stdint.h>

/*
 * What the control groups that this process is in allow, of version 2 and of version 1:
 * the least of its own group and those around it. What cannot be read allows everything.
 */

/* Where the kernel tells it; a test has its own. */
struct cgroup_view {
    const char *self;  /* the groups of the process, as /proc/self/cgroup */
    const char *mount; /* where they are mounted, as /sys/fs/cgroup */
};

extern const struct cgroup_view cgroup_system;

/* Processors by quota, 0.5 of one for example; HUGE_VAL where there is none. */
double cgroup_processors(const struct cgroup_view *v);

/* Bytes of memory; INT64_MAX where there is no limit. */
int64_t cgroup_memory(const struct cgroup_view *v);

/* How often the kernel has killed a process of the own group for want of memory; -1
 * where that is not counted. */
int64_t cgroup_oom_kills(const struct cgroup_view *v);

#endif
