#ifndef COORDINATOR_DB_BLOBFILE_H
#define COORDINATOR_DB_BLOBFILE_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

/*
 * A folder with blobs as files: <folder>/<first two digits>/<sha> is whole, verified and
 * on disk; <folder>/part/<sha> is an upload, locked by the process that writes it, so that
 * a coordinator which was deposed cannot write into the file of its successor. A name
 * that is not 64 hexadecimal digits is ERR_DATA in each of these.
 */

/* Where the whole file is; NULL where `sha` is no digest. Caller frees. */
char *blobfile_path(const char *folder, const char *sha);

/* An upload: written past the page cache where the file system can do that, for bytes that
 * nobody reads soon cost twice there, and their flush delays everybody's fsync. */
struct blobfile_part {
    int fd;      /* -1: not open */
    char *block; /* of one piece, aligned for the disk */
};

/* Begins an upload of `size` bytes or goes on with one: *have is what it has of them, in
 * whole pieces of `piece` bytes (a multiple of 4096) and without the last one, which is to
 * say that all is there. A file that got its name and no row is one, too. ERR_NET while
 * another process has it. */
MUST_CHECK int blobfile_open_part(struct blobfile_part *out, int64_t *have,
                                  const char *folder, const char *sha, int64_t size,
                                  int64_t piece, struct err *err);

/* Also lets go of the lock. */
void blobfile_close_part(struct blobfile_part *p);

/* Writes up to a piece at `offset`. At most FILE_BEHIND_BYTES are not on disk when this
 * returns: neither a power cut nor the fsync at the end costs much. */
MUST_CHECK int blobfile_write(struct blobfile_part *p, int64_t offset, const void *data,
                              size_t size, const char *folder, struct err *err);

/* The upload is complete and verified: on disk, and under its name. */
MUST_CHECK int blobfile_keep(const struct blobfile_part *p, const char *folder,
                             const char *sha, struct err *err);

/* Deletes the file and the upload; what is not there is fine. */
MUST_CHECK int blobfile_drop(const char *folder, const char *sha, struct err *err);

/* Opens a whole file, which must have `size` bytes; the caller closes *fd. ERR_DATA when
 * it is not there. */
MUST_CHECK int blobfile_open(int *fd, const char *folder, const char *sha, int64_t size,
                             struct err *err);

/* Up to `size` bytes from `offset` on; *got is less only at the end. They do not stay in
 * the page cache, where they would push out what the database needs. */
MUST_CHECK int blobfile_read(int fd, int64_t offset, void *out, size_t size,
                             size_t *got, struct err *err);

#endif
