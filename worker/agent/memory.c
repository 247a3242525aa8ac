/*
 * memory.c - what the kernel says about memory: of the machine, and of the control groups
 * that we are in. Whatever is not there is not known; nothing here fails.
 */
#include "worker/agent/memory.h"

#include <unistd.h>

#include "shared/base/cgroup.h"
#include "shared/base/file.h"

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

    return group >= 0 ? group : file_number("/proc/vmstat", "oom_kill ", -1);
}
