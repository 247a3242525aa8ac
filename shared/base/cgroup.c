/*
 * cgroup.c - limits of control groups. A controller of version 1 has a tree of its own
 * below <mount>/<controller>; version 2 has one tree, at <mount>. In a container the
 * path of the group may be that of the host, which is not to be seen inside: folders
 * that are not there are passed over on the way up to the mount.
 */
#include "shared/base/cgroup.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

const struct cgroup_view cgroup_system = {"/proc/self/cgroup", "/sys/fs/cgroup"};

/* Whether `name` stands in `list`, whose words are parted by commas. */
static bool
has_controller(const char *list, size_t n, const char *name)
{
    const size_t length = strlen(name);

    for (const char *end = list + n; list <= end; list += strcspn(list, ",:") + 1)
        if (strcspn(list, ",:") == length && strncmp(list, name, length) == 0)
            return true;
    return false;
}

/* The path of our group below the tree of `controller`, "" for version 2's; it has no
 * slash at its end. Caller frees; NULL where we are in none. Lines are ID:LIST:PATH. */
static char *
group_of(const struct cgroup_view *v, const char *controller)
{
    struct buf text = {0};
    struct err ignored;
    char *out = NULL;

    if (file_read(&text, v->self, &ignored) == 0)
        for (const char *line = buf_str(&text); out == NULL && *line != '\0';) {
            const size_t length = strcspn(line, "\n");
            const char *list = memchr(line, ':', length);
            const char *path =
                list != NULL ? memchr(list + 1, ':', length - (size_t)(list + 1 - line))
                             : NULL;
            if (path != NULL
                && has_controller(list + 1, (size_t)(path - list - 1), controller))
                out = xasprintf("%.*s", (int)(line + length - path - 1), path + 1);
            line += length + (line[length] == '\n');
        }
    buf_release(&text);
    if (out != NULL && out[0] != '\0' && out[strlen(out) - 1] == '/')
        out[strlen(out) - 1] = '\0';
    return out;
}

static int64_t
number_in(const char *dir, const char *name, const char *key, int64_t other)
{
    char *path = file_join(dir, name);
    const int64_t out = file_number(path, key, other);

    free(path);
    return out;
}

static double
quota_2(const char *dir)
{
    char *path = file_join(dir, "cpu.max");
    FILE *f = fopen(path, "re");
    double quota, period, out = HUGE_VAL;

    free(path);
    if (f == NULL)
        return out;
    if (fscanf(f, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0)
        out = quota / period;
    fclose(f);
    return out;
}

static double
quota_1(const char *dir)
{
    const int64_t quota = number_in(dir, "cpu.cfs_quota_us", "", -1);
    const int64_t period = number_in(dir, "cpu.cfs_period_us", "", -1);

    return quota > 0 && period > 0 ? (double)quota / (double)period : HUGE_VAL;
}

static double
memory_2(const char *dir)
{
    return (double)number_in(dir, "memory.max", "", INT64_MAX);
}

static double
memory_1(const char *dir)
{
    return (double)number_in(dir, "memory.limit_in_bytes", "", INT64_MAX);
}

/* The least that `limit` says of our group in the tree of `controller` and of the groups
 * around it. */
static double
least(const struct cgroup_view *v, const char *controller, double most,
      double (*limit)(const char *dir))
{
    char *tree =
        xasprintf("%s%s%s", v->mount, controller[0] != '\0' ? "/" : "", controller);
    char *group = group_of(v, controller);

    while (group != NULL) {
        char *dir = xasprintf("%s%s", tree, group), *end = strrchr(group, '/');
        most = fmin(most, limit(dir));
        free(dir);
        if (end == NULL)
            break;
        *end = '\0';
    }
    free(group);
    free(tree);
    return most;
}

double
cgroup_processors(const struct cgroup_view *v)
{
    return least(v, "cpu", least(v, "", HUGE_VAL, quota_2), quota_1);
}

int64_t
cgroup_memory(const struct cgroup_view *v)
{
    const double out = least(v, "memory", least(v, "", HUGE_VAL, memory_2), memory_1);

    return out < (double)INT64_MAX ? (int64_t)out : INT64_MAX;
}

int64_t
cgroup_oom_kills(const struct cgroup_view *v)
{
    static const struct {
        const char *controller, *tree, *file;
    } counts[] = {{"", "", "memory.events"},
                  {"memory", "/memory", "memory.oom_control"}};
    int64_t out = -1;

    for (size_t i = 0; out < 0 && i < sizeof counts / sizeof *counts; i++) {
        char *group = group_of(v, counts[i].controller);
        if (group == NULL)
            continue;
        char *dir = xasprintf("%s%s%s", v->mount, counts[i].tree, group);
        out = number_in(dir, counts[i].file, "oom_kill ", -1);
        free(dir);
        free(group);
    }
    return out;
}
