#ifndef WORKER_ENGINE_RNG_H
#define WORKER_ENGINE_RNG_H

#include <stdint.h>

/*
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011). A stream is
 * named by (seed, purpose, epoch, index), so data order, augmentation and attacks need
 * no state: a resumed job, or another number of threads, draws the same numbers.
 */
enum rng_purpose {
    RNG_INIT,    /* parameters; index: hash of the parameter's name */
    RNG_SHUFFLE, /* order of an epoch */
    RNG_SUBSET,  /* which training images a subset keeps; validation split */
    RNG_CROP,    /* random crop and flip; index: sample, epoch: 2 * epoch + view */
    RNG_AUGMIX,  /* index: sample */
    RNG_ATTACK,  /* start of PGD; index: sample, epoch: epoch of training, or purpose */
    RNG_MASK,    /* first mask of a layer; index: layer */
    RNG_CORRUPT, /* index: sample, epoch: corruption * 8 + severity */
    RNG_SYNTH,   /* synthetic data; index: sample */
    RNG_BENCH,
};

struct rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t out[4];
    int left; /* numbers of out[] not used yet */
};

/* Starts the stream. All arguments may be any value. */
struct rng rng_stream(uint64_t seed, enum rng_purpose purpose, uint32_t epoch,
                      uint64_t index);

uint32_t rng_u32(struct rng *r);

/* Uniform in [0, 1): 24 bits, exactly representable. */
float rng_uniform(struct rng *r);

/* Uniform in [0, n), without bias, n >= 1. */
uint32_t rng_below(struct rng *r, uint32_t n);

/* Standard normal (Box-Muller in double). */
double rng_normal(struct rng *r);

/* Gamma(shape, 1), shape > 0 (Marsaglia and Tsang 2000). For Beta and Dirichlet. */
double rng_gamma(struct rng *r, double shape);

/* Shuffles order[0..n) (Fisher-Yates). */
void rng_shuffle(struct rng *r, int64_t *order, int64_t n);

/* One Philox4x32-10 block; exposed for the known-answer test. */
void rng_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

#endif
