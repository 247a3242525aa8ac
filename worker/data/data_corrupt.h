#ifndef WORKER_DATA_DATA_CORRUPT_H
#define WORKER_DATA_DATA_CORRUPT_H

#include <stdint.h>
#include <stdio.h>

#include "shared/base/err.h"

/*
 * `data corrupt`: writes the corrupted test images of a data set into a folder in the
 * layout of CIFAR-10-C (<corruption>.npy, labels.npy), with about.json and
 * contact-sheet.png. Deterministic; the same images that evaluation makes for itself.
 */
struct data_corrupt_config {
    const char *dataset;
    const char *data_dir;              /* NULL: the usual places */
    const char *corruption, *severity; /* "all", or names and numbers with commas */
    const char *out;                   /* "": <dataset>-c among the data */
    int64_t images;                    /* the first of the test part; 0: all */
    int threads;
};

/* Says on `talk` what it does. ERR_USAGE for names that are not known. */
MUST_CHECK int data_corrupt(const struct data_corrupt_config *config, FILE *talk,
                            struct err *err);

#endif
