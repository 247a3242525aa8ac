#ifndef WORKER_DATA_AUGMENT_CROP_FLIP_H
#define WORKER_DATA_AUGMENT_CROP_FLIP_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/engine/rng.h"

/* The standard augmentation of small images (methods.md 2.1): a crop of the image's own
 * size out of the image with CROP_PADDING zeros around, then mirrored half of the time. */
enum { CROP_PADDING = 4 };

struct crop_flip {
    int dy, dx; /* corner of the crop in the padded image, 0..2*CROP_PADDING */
    bool flip;
};

struct crop_flip crop_flip_draw(struct rng *rng);

/* out, image (c,h,w), not overlapping:
 * out[c,y,x] = padded[c, y + dy, (flip ? w - 1 - x : x) + dx]. */
void crop_flip_apply(uint8_t *out, const uint8_t *image, int64_t c, int64_t h,
                     int64_t w, const struct crop_flip *draw);

#endif
