/* file.c - whole files and folders, with writes that are all or nothing. */
#include "shared/base/file.h"
#include "shared/base/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/mem.h"

int
file_read(struct buf *out, const char *path, struct err *err)
{
    char chunk[65536];
    ssize_t n;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        const bool missing = errno == ENOENT;
        err_sys(err, "open %s", path);
        if (missing)
            err->kind = ERR_DATA;
        return -1;
    }
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(out, chunk, (size_t)n);
    if (n < 0)
        err_sys(err, "read %s", path);
    close(fd);
    return n < 0 ? -1 : 0;
}

static int
write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

int64_t
file_number(const char *path, const char *key, int64_t other)
{
    FILE *f = fopen(path, "re");
    char line[128];
    long long out = other;

    if (f == NULL)
        return other;
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0) {
            if (sscanf(line + strlen(key), "%lld", &out) != 1)
                out = other;
            break;
        }
    fclose(f);
    return out;
}

int
file_sync_folder_of(const char *path, struct err *err)
{
    char *copy = xstrdup(path), *folder = dirname(copy);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int rc = fd >= 0 && fsync(fd) == 0 ? 0 : err_sys(err, "fsync %s", folder);

    if (fd >= 0)
        close(fd);
    free(copy);
    return rc;
}

void
file_write_behind(int fd, int64_t offset, int64_t size)
{
    const int64_t behind = offset - FILE_BEHIND_BYTES;

    (void)sync_file_range(fd, offset, size, SYNC_FILE_RANGE_WRITE);
    if (behind < 0)
        return;
    (void)sync_file_range(fd, behind, size,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE
                              | SYNC_FILE_RANGE_WAIT_AFTER);
    (void)posix_fadvise(fd, behind, size, POSIX_FADV_DONTNEED);
}

static int
write_parts(int fd, const struct file_part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (write_all(fd, parts[i].data, parts[i].size) != 0)
            return -1;
    return 0;
}

int
file_write(const char *path, const void *data, size_t size, struct err *err)
{
    return file_write_parts(path, &(struct file_part){data, size}, 1, err);
}

int
file_write_parts(const char *path, const struct file_part *parts, size_t n,
                 struct err *err)
{
    char *tmp = xasprintf("%s.tmp.%ld", path, (long)getpid());
    struct err ignored;
    int rc = -1;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0) {
        err_sys(err, "create %s", tmp);
        goto out;
    }
    const int failed = write_parts(fd, parts, n) != 0 || fsync(fd) != 0;
    if (failed)
        err_sys(err, "write %s", tmp);
    close(fd);
    crash_point("file-written");
    if (failed) {
        unlink(tmp);
        goto out;
    }
    if (rename(tmp, path) != 0) {
        err_sys(err, "rename %s to %s", tmp, path);
        unlink(tmp);
        goto out;
    }
    crash_point("file-renamed");
    file_sync_folder_of(path, &ignored);
    rc = 0;
out:
    free(tmp);
    return rc;
}

int
file_make_dirs(const char *path, struct err *err)
{
    char *copy = xstrdup(path);
    int rc = 0;

    for (char *p = copy + 1; rc == 0; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        const char was = *p;
        *p = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            rc = err_sys(err, "make folder %s", copy);
        *p = was;
        if (was == '\0')
            break;
    }
    free(copy);
    return rc;
}

bool
file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int
file_remove_tree(const char *path, struct err *err)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return err_sys(err, "remove %s", path);
    return 0;
}

char *
file_join(const char *dir, const char *name)
{
    return xasprintf("%s/%s", dir, name);
}
