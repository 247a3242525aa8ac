/*
 * memory.c - what the kernel says about memory: /proc, and the control group (version 2)
 * that we are in. Whatever is not there is not known; nothing here fails.
 */
#include "worker/agent/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

/* -1 where no number stands ("max"). */
static int64_t
number_at(const char *text)
{
    char *end;
    const int64_t out = strtoll(text, &end, 10);

    return end != text ? out : -1;
}

/* The number behind `key` at the beginning of a line; -1 where there is none. */
static int64_t
number_in(const char *path, const char *key)
{
    struct buf text = {0};
    struct err err;
    int64_t out = -1;

    if (file_read(&text, path, &err) == 0)
        for (const char *line = buf_str(&text); line != NULL && *line != '\0';) {
            if (strncmp(line, key, strlen(key)) == 0)
                out = number_at(line + strlen(key));
            line = strchr(line, '\n');
            line = line != NULL ? line + 1 : NULL;
        }
    buf_release(&text);
    return out;
}

/* A file of our control group; caller frees. */
static char *
group_file(const char *name)
{
    struct buf text = {0};
    struct err err;
    char *path = NULL;

    if (file_read(&text, "/proc/self/cgroup", &err) == 0) {
        const char *own = strstr(buf_str(&text), "0::");
        if (own != NULL) {
            own += 3;
            path =
                xasprintf("/sys/fs/cgroup%.*s/%s", (int)strcspn(own, "\n"), own, name);
        }
    }
    buf_release(&text);
    return path;
}

static int64_t
number_of_group(const char *name, const char *key)
{
    char *path = group_file(name);
    const int64_t out = path != NULL ? number_in(path, key) : -1;

    free(path);
    return out;
}

int64_t
memory_bytes(void)
{
    const int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const int64_t machine = pages > 0 && page > 0 ? pages * page : 0;
    const int64_t group = number_of_group("memory.max", "");

    return group > 0 && (machine == 0 || group < machine) ? group : machine;
}

int64_t
memory_kills(void)
{
    const int64_t group = number_of_group("memory.events", "oom_kill ");

    return group >= 0 ? group : number_in("/proc/vmstat", "oom_kill ");
}
