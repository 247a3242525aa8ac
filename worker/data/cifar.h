#ifndef WORKER_DATA_CIFAR_H
#define WORKER_DATA_CIFAR_H

#include <stdint.h>

#include "worker/data/dataset.h"

/*
 * The binary version of CIFAR-10 and CIFAR-100 as distributed (Krizhevsky 2009): files of
 * records, each some label bytes and 3072 pixel bytes, planes R, G, B of 32x32. The label
 * that counts is the last one (CIFAR-100: coarse, fine).
 */
enum { CIFAR_SIDE = 32, CIFAR_PIXELS = 3 * CIFAR_SIDE * CIFAR_SIDE };

struct cifar_set {
    const char *const *layouts;             /* folders, as in locate.h */
    const char *const *train, *const *test; /* file names, NULL-terminated */
    int64_t per_file_train, per_file_test;  /* records in each */
    int64_t label_bytes, classes;
    const char *where; /* what to do when files are missing */
};

/* dataset_source.load and .check for such a set. Sizes and label ranges are checked at
 * every load; there are no published digests of the single files. */
MUST_CHECK int cifar_load(struct dataset *out, const struct cifar_set *set,
                          const char *dir, enum dataset_part part, struct err *err);
MUST_CHECK int cifar_check(struct buf *report, const struct cifar_set *set,
                           const char *dir, struct err *err);

#endif
