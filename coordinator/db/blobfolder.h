#ifndef COORDINATOR_DB_BLOBFOLDER_H
#define COORDINATOR_DB_BLOBFOLDER_H

#include <stdbool.h>

#include "coordinator/db/pg.h"

/*
 * Tables blob_folder and blob_gone: which folders have files of blobs, and which files
 * are to be deleted. A folder has a file `relusweep-folder` with a mark that its row
 * repeats: so a folder of the same path on another machine, or of another database, is
 * told apart. Steps of a transaction, except blobfolder_join, which is one.
 */

/* The number of the folder, which is made and written down where it is new; one that has
 * moved keeps its number. ERR_REFUSED when it is not the folder that the database knows,
 * or belongs to another database. `path` is absolute and shorter than BLOB_FOLDER_MAX. */
MUST_CHECK int blobfolder_join(struct pg *pg, const char *path, int64_t *id,
                               struct err *err);

/* Calls fn for each folder that is here, until one is not 0. with_gone: only for those
 * with files that are to be deleted. */
typedef int blobfolder_fn(struct pg *pg, int64_t folder, const char *path, void *ctx,
                          struct err *err);
MUST_CHECK int blobfolder_each(struct pg *pg, bool with_gone, blobfolder_fn *fn,
                               void *ctx, struct err *err);

/* Until the end of the transaction no other one gives files their names or deletes
 * them. */
MUST_CHECK int blobfolder_lock(struct pg *pg, struct err *err);

/* Deletes a number of files whose blobs were deleted; those of folders that are not here
 * wait. *n: how many, 0 when nothing is left to do. */
MUST_CHECK int blobfolder_clear(struct pg *pg, int64_t *n, struct err *err);

#endif
