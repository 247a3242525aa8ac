#ifndef WORKER_DATA_DATASET_H
#define WORKER_DATA_DATASET_H

#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

/* Images in memory: uint8, planes (C,H,W), C = 3, as every model takes them. */
struct dataset {
    int64_t n, c, h, w, classes;
    uint8_t *images;       /* (n,c,h,w) */
    uint16_t *labels;      /* (n) */
    float mean[3], std[3]; /* normalisation of [0,1] pixels */
};

enum dataset_part { DATASET_TRAIN, DATASET_TEST };

/* One row of the registry: a data set that can be asked for by name. */
struct dataset_source {
    const char *name; /* as in a sweep file */
    const char *doc, *source;
    int64_t classes, h, w, n_train, n_test;
    float mean[3], std[3];
    const char *where;     /* what to do when it is missing, one sentence */
    const char *corrupted; /* folder of the published corrupted test images, or NULL */
    /* Reads and checks a part whole. Missing, truncated or corrupt files are ERR_DATA
     * naming file and offset. `dir`: RELUSWEEP_DATA or NULL for the default places. */
    int (*load)(const struct dataset_source *self, struct dataset *out, const char *dir,
                enum dataset_part part, struct err *err);
    /* Sizes and checksums of the files; appends one line a file to `report`. */
    int (*check)(const struct dataset_source *self, struct buf *report, const char *dir,
                 struct err *err);
};

/* NULL-terminated; those of people's own (own_sets.h) are added before main and come
 * last. */
extern const struct dataset_source *dataset_sources[];
const struct dataset_source *dataset_find(const char *name);

MUST_CHECK int dataset_load(struct dataset *out, const char *name, const char *dir,
                            enum dataset_part part, struct err *err);
void dataset_release(struct dataset *d);

/* Indices of images, in rising order; no image is in both. */
struct dataset_split {
    int64_t *train, *val;
    int64_t n_train, n_val;
};

/* Splits off a validation part and keeps a subset of the rest, both stratified by class
 * and drawn by (seed, RNG_SUBSET). n_train <= 0: all that is left. The test part is never
 * touched. The caller releases `out`, which is empty after an error. */
MUST_CHECK int dataset_split(struct dataset_split *out, const struct dataset *d,
                             uint64_t seed, int64_t n_train, int64_t n_val,
                             struct err *err);
void dataset_split_release(struct dataset_split *s);

#endif
