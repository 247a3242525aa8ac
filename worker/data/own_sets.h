#ifndef WORKER_DATA_OWN_SETS_H
#define WORKER_DATA_OWN_SETS_H

#include "worker/data/dataset.h"

/*
 * People's own data sets: folders of pictures, all of one size,
 *   <place of the data>/image-folders/NAME/train/CLASS/PICTURE.jpg (.jpeg, .png)
 *   <place of the data>/image-folders/NAME/test/CLASS/...   (or val/)
 * NAME, of a-z, 0-9, _ and -, is the name of the data set. A class's index is its rank
 * among the sorted names. Pixels are not normalised (mean 0, deviation 1).
 */
enum { OWN_SETS_MAX = 32, OWN_SETS_MAX_CLASSES = 10000 };

/* Puts the usable sets, sorted by name, into found[0..n) and returns n <= OWN_SETS_MAX;
 * they are kept until the program ends. found NULL: none are. dir: as in locate.h.
 * Appends a line to `complaints` (may be NULL) for every folder that cannot be used.
 * Reads names, and the size of one picture a set. */
int own_sets_find(const struct dataset_source **found, const char *dir,
                  struct buf *complaints);

#endif
