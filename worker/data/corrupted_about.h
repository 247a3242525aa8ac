#ifndef WORKER_DATA_CORRUPTED_ABOUT_H
#define WORKER_DATA_CORRUPTED_ABOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/data/dataset.h"

/*
 * about.json in a folder that `data corrupt` filled: which program, seed and test
 * images it was made with. A folder without it is a published set.
 */
enum {
    CORRUPTED_SEED = 0,     /* of the images that evaluation uses */
    CORRUPTED_REVISION = 1, /* of the corruptions: one more when any result changes */
};

/* *ours: there is an about.json. ERR_DATA when it tells of other images, another seed
 * or another revision than evaluation would make now. */
MUST_CHECK int corrupted_about_read(bool *ours, const char *folder,
                                    const struct dataset *test, struct err *err);

/* `test`: the images that were corrupted, of data set `name`. */
MUST_CHECK int corrupted_about_write(const char *folder, const char *name,
                                     const struct dataset *test, uint64_t seed,
                                     struct err *err);

#endif
