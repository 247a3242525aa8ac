#ifndef SHARED_BASE_FILE_H
#define SHARED_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Whole-file reading and writing, and folders. */

/* Appends the file's bytes to `out`. A missing file is ERR_DATA, naming the path. */
MUST_CHECK int file_read(struct buf *out, const char *path, struct err *err);

/* Writes path.tmp, fsyncs, renames, fsyncs the folder: no reader ever sees a part. */
MUST_CHECK int file_write(const char *path, const void *data, size_t size,
                          struct err *err);

/* mkdir -p with mode 0700 for the folders that it makes. */
MUST_CHECK int file_make_dirs(const char *path, struct err *err);

bool file_exists(const char *path);

/* rm -r; a path that is not there is fine. */
MUST_CHECK int file_remove_tree(const char *path, struct err *err);

/* "<dir>/<name>"; caller frees. */
char *file_join(const char *dir, const char *name);

#endif
