/* proc.c - the running program's place and processors. */
#include "shared/base/proc.h"

#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/mem.h"

char *
proc_sibling(const char *name)
{
    char self[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n > 0) {
        self[n] = '\0';
        char *path = xasprintf("%s/%s", dirname(self), name);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return xstrdup(name);
}

/* The quota of one control group ("max 100000", "150000 100000" microseconds a period) in
 * whole processors, at least 1; `most` where there is none. */
static int
quota_of(const char *group, int most)
{
    char *path = xasprintf("/sys/fs/cgroup%s/cpu.max", group);
    FILE *f = fopen(path, "re");
    long quota, period;
    int cores = most;

    if (f != NULL && fscanf(f, "%ld %ld", &quota, &period) == 2 && period > 0)
        cores = quota / period < 1 ? 1 : (int)(quota / period);
    if (f != NULL)
        fclose(f);
    free(path);
    return cores < most ? cores : most;
}

/* The smallest quota of this process's control group (version 2) and those around it. */
static int
quota(int most)
{
    char group[PATH_MAX] = "";
    FILE *f = fopen("/proc/self/cgroup", "re");

    if (f == NULL || fscanf(f, "0::%4095[^\n]", group) != 1)
        group[0] = '\0';
    if (f != NULL)
        fclose(f);
    for (char *end = strrchr(group, '/'); end != NULL; end = strrchr(group, '/')) {
        most = quota_of(group, most);
        *end = '\0';
    }
    return quota_of("", most);
}

int
proc_cores(void)
{
    const char *slurm = getenv("SLURM_CPUS_PER_TASK");
    const long granted = slurm != NULL ? strtol(slurm, NULL, 10) : 0;
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    const int cores = quota(CPU_COUNT(&set));
    return granted >= 1 && granted < cores ? (int)granted : cores;
}
