#ifndef WORKER_DATA_CORRUPT_CORRUPT_H
#define WORKER_DATA_CORRUPT_CORRUPT_H

#include <stdint.h>

#include "worker/engine/rng.h"

enum { CORRUPTION_SEVERITIES = 5, CORRUPTION_CHANNELS = 3 };

/* The benchmark was published with two tables of parameters: CIFAR-C's for 32x32
 * images, Tiny-ImageNet-C's for 64x64 ones. */
enum corruption_scale { CORRUPTION_CIFAR, CORRUPTION_TINY, CORRUPTION_SCALES };

/* The table for images of this size: Tiny-ImageNet-C's from 48x48 pixels on. */
enum corruption_scale corruption_scale(int64_t h, int64_t w);

/* A corruption of Hendrycks and Dietterich 2019 (methods.md 2.3). One file each in this
 * folder and one line in registry.c. */
struct corruption {
    const char *name, *doc;
    /* Position among the benchmark's fifteen, from 0: names the random streams, so it
     * stays when others are added. */
    int index;
    /* image: (3,h,w) float in [0,1], changed in place, then clipped to [0,1] and cut to
     * bytes by the caller; severity 1..5. `rng` belongs to this image. */
    void (*apply)(float *image, int64_t h, int64_t w, int severity, struct rng *rng);
};

extern const struct corruption *const corruptions[]; /* NULL-terminated, table order */
const struct corruption *corruption_find(const char *name);

/* out (3,h,w) float [0,1] = corrupted copy of the bytes, each value a byte / 255; the
 * random stream is (seed, RNG_CORRUPT, index * 8 + severity, sample). As in the
 * released generator (numpy.uint8) a byte is the whole part of 255 v, not the
 * nearest. */
void corruption_apply(float *out, const uint8_t *image, int64_t h, int64_t w,
                      const struct corruption *c, int severity, uint64_t seed,
                      int64_t sample);

/* Clips to [0,1] and cuts to bytes / 255, as numpy.uint8(255 v) does. */
void corruption_cut(float *image, int64_t n);

/* For corruptions that work on bytes: values byte / 255 to bytes and back, exactly;
 * other values go to the nearest byte. */
void corruption_to_bytes(uint8_t *bytes, const float *image, int64_t n);
void corruption_from_bytes(float *image, const uint8_t *bytes, int64_t n);

#endif
