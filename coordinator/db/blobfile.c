/*
 * blobfile.c - blobs in files. Invariant: what has its name in a folder of two digits is
 * complete, verified and on disk. Knows no table: which file counts is said by rows.
 */
#include "coordinator/db/blobfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/crash.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

/* In bytes. Where PostgreSQL has the same disk, its commits wait for what the disk is
 * doing: so little is written at once, and read ahead instead of the kernel's megabytes. */
enum {
    BLOCK = 4096, /* of disks and pages */
    PIECE = 256 << 10,
    AHEAD = 512 << 10,
};

char *
blobfile_path(const char *folder, const char *sha)
{
    return sha256_is_hex(sha) ? xasprintf("%s/%.2s/%s", folder, sha, sha) : NULL;
}

static char *
part_path(const char *folder, const char *sha)
{
    return sha256_is_hex(sha) ? xasprintf("%s/part/%s", folder, sha) : NULL;
}

static int
no_digest(const char *sha, struct err *err)
{
    return err_set(err, ERR_DATA, "`%.80s` is not the digest of a blob", sha);
}

/* The folder that `path` lies in. */
static int
make_folder_of(const char *path, struct err *err)
{
    char *folder = xstrdup(path);

    *strrchr(folder, '/') = '\0';
    const int rc = file_make_dirs(folder, err);
    free(folder);
    return rc;
}

/* ---- uploads ---------------------------------------------------------------------- */

/* The lock is worth nothing when the file was renamed or deleted before we got it. */
static int
lock_part(int fd, const char *path, struct stat *st, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? err_set(err, ERR_NET, "another coordinator still writes %s", path)
                   : err_sys(err, "lock %s", path);
    if (fstat(fd, st) != 0)
        return err_sys(err, "look at %s", path);
    return st->st_nlink > 0 ? 0 : err_set(err, ERR_NET, "%s has just gone", path);
}

/* A piece that was written in part does not count, and a longer file is another one. */
static int64_t
usable(int64_t there, int64_t size, int64_t piece)
{
    const int64_t last = size > 0 ? (size - 1) / piece * piece : 0;
    const int64_t whole = there - there % piece;

    if (there > size)
        return 0;
    return whole < last ? whole : last;
}

static int
open_direct(const char *path, int flags)
{
    const int fd = open(path, flags | O_DIRECT, 0600);

    return fd < 0 && errno == EINVAL ? open(path, flags, 0600) : fd;
}

static int
open_part(struct blobfile_part *p, int64_t *have, const char *path, int64_t size,
          int64_t piece, struct err *err)
{
    struct stat st;

    p->fd = open_direct(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW);
    if (p->fd < 0)
        return err_sys(err, "create %s", path);
    if (lock_part(p->fd, path, &st, err) != 0)
        return -1;
    *have = usable(st.st_size, size, piece);
    if (ftruncate(p->fd, *have) != 0)
        return err_sys(err, "write %s", path);
    if (posix_memalign((void **)&p->block, BLOCK, (size_t)piece) != 0)
        return err_set(err, ERR_SYS, "no memory for an upload");
    return 0;
}

int
blobfile_open_part(struct blobfile_part *out, int64_t *have, const char *folder,
                   const char *sha, int64_t size, int64_t piece, struct err *err)
{
    char *part = part_path(folder, sha), *path = blobfile_path(folder, sha);
    int rc = -1;

    *out = (struct blobfile_part){.fd = -1};
    if (part == NULL || path == NULL)
        no_digest(sha, err);
    else if (make_folder_of(part, err) == 0) {
        if (rename(path, part) != 0 && errno != ENOENT)
            err_sys(err, "rename %s", path);
        else
            rc = open_part(out, have, part, size, piece, err);
    }
    if (rc != 0)
        blobfile_close_part(out);
    free(part);
    free(path);
    return rc;
}

void
blobfile_close_part(struct blobfile_part *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->block);
    *p = (struct blobfile_part){.fd = -1};
}

static int
write_failed(const char *folder, int why, struct err *err)
{
    const bool full = why == ENOSPC || why == EDQUOT;

    errno = why;
    err_sys(err, "write an artifact to %s", folder);
    if (full)
        err_wrap(err, "uploads wait, and nothing is lost: make room there (`relusweep "
                      "db prune` deletes what nobody needs), or give the coordinator "
                      "another --artifact-dir");
    return -1;
}

/* The end of a file need not be whole blocks, which only the page cache can write. */
static int
allow_any_size(int fd, size_t size, struct err *err)
{
    const int flags = size % BLOCK == 0 ? 0 : fcntl(fd, F_GETFL);

    if (flags < 0
        || ((flags & O_DIRECT) != 0 && fcntl(fd, F_SETFL, flags & ~O_DIRECT) < 0))
        return err_sys(err, "write the end of an artifact");
    return 0;
}

int
blobfile_write(struct blobfile_part *p, int64_t offset, const void *data, size_t size,
               const char *folder, struct err *err)
{
    if (allow_any_size(p->fd, size, err) != 0)
        return -1;
    memcpy(p->block, data, size);
    for (size_t done = 0; done < size;) {
        const size_t left = size - done;
        const ssize_t n = pwrite(p->fd, p->block + done, left < PIECE ? left : PIECE,
                                 offset + (int64_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || (n % BLOCK != 0 && (size_t)n < left))
            return write_failed(folder, n < 0 ? errno : ENOSPC, err);
        done += (size_t)n;
    }
    file_write_behind(p->fd, offset, (int64_t)size);
    return 0;
}

int
blobfile_keep(const struct blobfile_part *p, const char *folder, const char *sha,
              struct err *err)
{
    char *part = part_path(folder, sha), *path = blobfile_path(folder, sha);
    int rc = -1;

    if (part == NULL || path == NULL)
        no_digest(sha, err);
    else if (fsync(p->fd) != 0)
        write_failed(folder, errno, err);
    else if (make_folder_of(path, err) == 0) {
        crash_point("blob-file-synced");
        rc = rename(part, path) == 0 ? file_sync_folder_of(path, err)
                                     : err_sys(err, "rename %s", part);
        crash_point("blob-file-renamed");
    }
    free(part);
    free(path);
    return rc;
}

int
blobfile_drop(const char *folder, const char *sha, struct err *err)
{
    char *part = part_path(folder, sha), *path = blobfile_path(folder, sha);
    int rc = 0;

    if (part == NULL || path == NULL)
        rc = no_digest(sha, err);
    else if ((unlink(part) != 0 && errno != ENOENT)
             || (unlink(path) != 0 && errno != ENOENT))
        rc = err_sys(err, "delete %s", path);
    free(part);
    free(path);
    return rc;
}

/* ---- reading ---------------------------------------------------------------------- */

static int
open_failed(const char *path, struct err *err)
{
    const bool missing = errno == ENOENT;

    err_sys(err, "open %s", path);
    if (missing) {
        err->kind = ERR_DATA;
        err_wrap(err, "an artifact's file is not on this machine; folders of artifacts "
                      "are read where the coordinator runs, or must be shared under "
                      "the same path");
    }
    return -1;
}

int
blobfile_open(int *fd, const char *folder, const char *sha, int64_t size,
              struct err *err)
{
    char *path = blobfile_path(folder, sha);
    struct stat st;
    int rc = -1;

    *fd = -1;
    if (path == NULL)
        return no_digest(sha, err);
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0)
        open_failed(path, err);
    else if (fstat(*fd, &st) != 0)
        err_sys(err, "look at %s", path);
    else if (st.st_size != size)
        err_set(err, ERR_DATA, "%s is damaged: it has %lld bytes, not %lld", path,
                (long long)st.st_size, (long long)size);
    else
        rc = 0;
    if (rc != 0 && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    if (rc == 0)
        (void)posix_fadvise(*fd, 0, 0, POSIX_FADV_RANDOM);
    free(path);
    return rc;
}

int
blobfile_read(int fd, int64_t offset, void *out, size_t size, size_t *got,
              struct err *err)
{
    char *to = out;

    for (*got = 0; *got < size;) {
        const ssize_t n = pread(fd, to + *got, size - *got, offset + (int64_t)*got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, "read an artifact's file");
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    (void)posix_fadvise(fd, offset, (off_t)*got, POSIX_FADV_DONTNEED);
    (void)posix_fadvise(fd, offset + (off_t)*got, AHEAD, POSIX_FADV_WILLNEED);
    return 0;
}
