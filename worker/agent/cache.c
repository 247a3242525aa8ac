/* cache.c - the size of a folder of digests. Knows only names, sizes and times. */
#include "worker/agent/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

struct entry {
    char *path;
    int64_t bytes, used_s;
};

bool
cache_has(const char *path, int64_t size)
{
    struct stat st;

    if (stat(path, &st) != 0 || st.st_size != size)
        return false;
    (void)utimensat(AT_FDCWD, path, NULL, 0);
    return true;
}

static int
by_age(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return (x->used_s > y->used_s) - (x->used_s < y->used_s);
}

static size_t
list_files(const char *dir, struct entry **out)
{
    struct entry *entries = NULL;
    size_t n = 0, capacity = 0;
    struct stat st;
    DIR *d = opendir(dir);

    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char *path = file_join(dir, e->d_name);
        if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
            free(path);
            continue;
        }
        entries = xgrow(entries, &capacity, n + 1, sizeof *entries);
        entries[n++] =
            (struct entry){.path = path, .bytes = st.st_size, .used_s = st.st_mtime};
    }
    if (d != NULL)
        closedir(d);
    *out = entries;
    return n;
}

void
cache_trim(const char *dir, int64_t max_bytes)
{
    struct entry *entries;
    const size_t n = list_files(dir, &entries);
    int64_t total = 0;

    for (size_t i = 0; i < n; i++)
        total += entries[i].bytes;
    if (n > 0)
        qsort(entries, n, sizeof *entries, by_age);
    for (size_t i = 0; i < n && total > max_bytes; i++) {
        if (unlink(entries[i].path) == 0)
            total -= entries[i].bytes;
        log_debug("cache", "file=%s state=removed", entries[i].path);
    }
    for (size_t i = 0; i < n; i++)
        free(entries[i].path);
    free(entries);
}
