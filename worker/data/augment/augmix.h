#ifndef WORKER_DATA_AUGMENT_AUGMIX_H
#define WORKER_DATA_AUGMENT_AUGMIX_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/engine/rng.h"

/*
 * AugMix (Hendrycks et al., ICLR 2020) with the reference implementation's defaults:
 * three chains of one to three operations at severity 3. No Jensen-Shannon loss, one
 * view; the mixture is not rounded to bytes again (methods.md 2.2).
 */
enum { AUGMIX_WIDTH = 3, AUGMIX_DEPTH = 3, AUGMIX_CHANNELS = 3 };

/* One operation. out, in: (3,side,side) bytes, not overlapping. */
struct augmix_op {
    const char *name;
    /* The parameter for a level in [0.1, severity); NULL: there is none. */
    double (*value)(double level, int64_t side);
    bool signed_value; /* negative half of the time */
    void (*apply)(uint8_t *out, const uint8_t *in, int64_t h, int64_t w, double value);
};
extern const struct augmix_op augmix_ops[];
extern const int augmix_op_count;

/* Everything random about one image. */
struct augmix_plan {
    float m;               /* share of the chains, Beta(1,1) */
    float w[AUGMIX_WIDTH]; /* of each chain, Dirichlet(1,1,1) */
    int depth[AUGMIX_WIDTH];
    struct augmix_step {
        int op; /* row of augmix_ops */
        double value;
    } steps[AUGMIX_WIDTH][AUGMIX_DEPTH];
};

struct augmix_plan augmix_draw(struct rng *rng, int64_t side);

/* Bytes of scratch memory for one image at a time. */
int64_t augmix_scratch(int64_t side);

/* out (3,side,side) = ((1-m) image + m sum_i w_i chain_i(image)) / 255, float in [0,1];
 * image (3,side,side) bytes. `rng` is this image's stream. */
void augmix(float *out, const uint8_t *image, int64_t side, struct rng *rng,
            uint8_t *scratch);

/* The same for a given plan. */
void augmix_apply(float *out, const uint8_t *image, int64_t side,
                  const struct augmix_plan *plan, uint8_t *scratch);

#endif
