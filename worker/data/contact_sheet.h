#ifndef WORKER_DATA_CONTACT_SHEET_H
#define WORKER_DATA_CONTACT_SHEET_H

#include <stdint.h>

#include "shared/base/err.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/dataset.h"

/* Writes a PNG to look at: a row for each of `kinds` (NULL-terminated), labelled; in it
 * three test images, each clean and at severities 1 to 5. Small images are
 * magnified. */
MUST_CHECK int contact_sheet_write(const char *path, const struct dataset *test,
                                   const struct corruption *const *kinds, uint64_t seed,
                                   struct err *err);

#endif
