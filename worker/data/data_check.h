#ifndef WORKER_DATA_DATA_CHECK_H
#define WORKER_DATA_DATA_CHECK_H

#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Appends to `out`, for every data set, the files that were found, their sizes, whether
 * the checksums are right, and where to get what is missing. `dir`: RELUSWEEP_DATA or
 * NULL for the default places. Looks at everything before it returns; -1 with ERR_DATA
 * and the first fault when a file is corrupt. A missing file is a line, not an error. */
MUST_CHECK int data_check(const char *dir, struct buf *out, struct err *err);

#endif
