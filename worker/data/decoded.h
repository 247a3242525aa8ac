#ifndef WORKER_DATA_DECODED_H
#define WORKER_DATA_DECODED_H

#include <stdbool.h>

#include "shared/base/sha256.h"
#include "worker/data/image_list.h"

/*
 * The decoded cache: the pixels of a list of pictures as <name>.npy (n,3,h,w), beside
 * it <name>.json with the digest of the files that they came from (paths, sizes, times
 * of change) and that of the pixels. In $RELUSWEEP_CACHE, else
 * $XDG_CACHE_HOME/relusweep, else ~/.cache/relusweep. It may be deleted at any time.
 * Nothing here fails a job: what cannot be read is made again, what cannot be written
 * is left.
 */
struct decoded {
    char *pixels, *about; /* paths; NULL: no cache */
    struct sha256 key;    /* of the files */
};

/* name NULL: no cache. ERR_DATA when a file of the list is not there. */
MUST_CHECK int decoded_init(struct decoded *d, const char *name,
                            const struct image_list *l, struct err *err);
void decoded_release(struct decoded *d);

/* Fills out->images, whose shape is known; false when they must be decoded. */
bool decoded_read(const struct decoded *d, struct dataset *out);
void decoded_write(const struct decoded *d, const struct dataset *set);

#endif
