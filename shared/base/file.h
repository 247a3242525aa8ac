#ifndef SHARED_BASE_FILE_H
#define SHARED_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Whole-file reading and writing, and folders. */

/* Appends the file's bytes to `out`. A missing file is ERR_DATA, naming the path. */
MUST_CHECK int file_read(struct buf *out, const char *path, struct err *err);

/* Writes path.tmp, fsyncs, renames, fsyncs the folder: no reader ever sees a part. */
MUST_CHECK int file_write(const char *path, const void *data, size_t size,
                          struct err *err);

/* The same of what lies here and there in memory, and one after the other in the file. */
struct file_part {
    const void *data;
    size_t size;
};
MUST_CHECK int file_write_parts(const char *path, const struct file_part *parts,
                                size_t n, struct err *err);

/* The number behind `key` where a line of the file begins with it, of the first line for
 * ""; `other` where there is no file or no number. For what the kernel tells. */
int64_t file_number(const char *path, const char *key, int64_t other);

/* fsync of the folder that `path` lies in: a new name is on disk. */
int file_sync_folder_of(const char *path, struct err *err);

/* After a write of `size` bytes at `offset` of a long file: the disk begins with them now,
 * and what was written FILE_BEHIND_BYTES before is on disk when this returns and leaves
 * the page cache. Neither the fsync at the end nor somebody else's waits for much. */
enum { FILE_BEHIND_BYTES = 8 << 20 };
void file_write_behind(int fd, int64_t offset, int64_t size);

/* mkdir -p with mode 0700 for the folders that it makes. */
MUST_CHECK int file_make_dirs(const char *path, struct err *err);

bool file_exists(const char *path);

/* rm -r; a path that is not there is fine. */
MUST_CHECK int file_remove_tree(const char *path, struct err *err);

/* "<dir>/<name>"; caller frees. */
char *file_join(const char *dir, const char *name);

#endif
