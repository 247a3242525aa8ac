#ifndef WORKER_DATA_LOADER_H
#define WORKER_DATA_LOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/data/dataset.h"
#include "worker/engine/team.h"

/*
 * Batches for training and evaluation. Everything that is random is drawn from
 * (seed, purpose, epoch, sample), so a batch depends only on (epoch, index): resuming at
 * step k needs no state. The last partial batch is kept.
 */
struct loader_config {
    const struct dataset *data; /* borrowed */
    const int64_t *order;       /* indices into data, n of them; borrowed */
    int64_t n;
    int64_t batch;
    uint64_t seed;
    bool shuffle; /* a new order each epoch */
    bool augment; /* random crop (zero padding 4) and horizontal flip */
    bool augmix;  /* also make the second view: own crop and flip, then AugMix */
};

struct loader;

/* What one batch is made of. Pixels are float [0,1], plain NCHW, not normalised. */
struct loader_batch {
    int64_t n;
    const float *x;        /* (n,c,h,w) */
    const float *x_aug;    /* (n,c,h,w), NULL without augmix */
    const int64_t *y;      /* (n) */
    const int64_t *sample; /* (n) index into data, names the sample's random streams */
};

struct loader *loader_new(const struct loader_config *config, struct team *team);
void loader_free(struct loader *l);
int64_t loader_batches(const struct loader *l); /* per epoch */

/* Batch `index` of `epoch` (1-based); valid until the next call. n_aug: how many images,
 * from the first, need the second view (the half-batch split uses only half). */
struct loader_batch loader_get(struct loader *l, int64_t epoch, int64_t index,
                               int64_t n_aug);

#endif
