#ifndef WORKER_DATA_TINY_H
#define WORKER_DATA_TINY_H

#include "worker/data/image_list.h"

/*
 * The folder of Tiny-ImageNet as distributed: wnids.txt names the classes;
 * train/<wnid>/images/ and val/images/ hold JPEGs; val/val_annotations.txt says to
 * which class a validation picture belongs. The class index is the rank of the wnid
 * among the sorted ones, and the validation part, which is used as the test part, is
 * sorted by class, then by file name: the order of a regrouped folder (methods.md 2.1).
 */
struct tiny_set {
    const char *name;           /* of the decoded cache */
    const char *const *layouts; /* folders, as in locate.h */
    int64_t classes, side;
    int64_t train_each, n_val; /* training pictures of a class; validation pictures */
    const char *where;         /* what to do when it is missing */
};

/* dataset_source.load and .check for such a set. Another number of classes or pictures
 * is ERR_DATA. .check counts and reads no picture. */
MUST_CHECK int tiny_load(struct dataset *out, const struct tiny_set *set,
                         const char *dir, enum dataset_part part, struct err *err);
MUST_CHECK int tiny_check(struct buf *report, const struct tiny_set *set,
                          const char *dir, struct err *err);

#endif
