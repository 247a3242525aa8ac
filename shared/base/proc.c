/* proc.c - the running program's place and processors. */
#include "shared/base/proc.h"

#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/cgroup.h"
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

/* Whole processors, at least 1, that the control groups leave of `most`. */
static int
quota(int most)
{
    const double granted = cgroup_processors(&cgroup_system);

    return granted >= most ? most : granted < 1 ? 1 : (int)granted;
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
