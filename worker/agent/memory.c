/*
 * memory.c - what the kernel says about memory: of the machine, and of the control groups
 * that we are in. Whatever is not there is not known; nothing here fails.
 */
#include "worker/agent/memory.h"

#include <stdio.h>
#include <unistd.h>

#include "shared/base/cgroup.h"

/* Processes of the machine that were killed for want of memory; -1: not known. */
static int64_t
machine_kills(void)
{
    FILE *f = fopen("/proc/vmstat", "re");
    char line[128];
    long long out = -1;

    if (f == NULL)
        return -1;
    while (out < 0 && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "oom_kill %lld", &out) != 1)
            out = -1;
    fclose(f);
    return out;
}

int64_t
memory_bytes(void)
{
    const int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const int64_t machine = pages > 0 && page > 0 ? pages * page : 0;
    const int64_t group = cgroup_memory(&cgroup_system);

    return group < INT64_MAX && (machine == 0 || group < machine) ? group : machine;
}

int64_t
memory_kills(void)
{
    const int64_t group = cgroup_oom_kills(&cgroup_system);

    return group >= 0 ? group : machine_kills();
}
