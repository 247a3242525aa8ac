#ifndef WORKER_DATA_LISTING_H
#define WORKER_DATA_LISTING_H

#include <stddef.h>

#include "shared/base/err.h"

/* The names in a folder, sorted as bytes; names that begin with a dot are left out. */
struct listing {
    char **names;
    size_t n, capacity;
};

enum listing_kind {
    LISTING_FOLDERS,
    LISTING_PICTURES, /* files whose name ends with .jpg, .jpeg or .png, in any case */
};

/* ERR_DATA when the folder cannot be read. listing_release also after a failure. */
MUST_CHECK int listing_read(struct listing *out, const char *folder,
                            enum listing_kind kind, struct err *err);
void listing_release(struct listing *l);

#endif
