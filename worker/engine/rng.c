/* rng.c - Philox4x32-10 and the distributions made from it.
 *
 * Invariant: a stream's numbers depend on its name (seed, purpose, epoch, index) only.
 * The name is laid into key and counter without mixing, so that two names never share
 * a block:
 *
 *   key      seed, low and high half
 *   counter  [0] purpose (8 bits) | number of the block (24 bits)
 *            [1] epoch   [2] index, low half   [3] index, high half
 *
 * One stream therefore has 2^26 numbers, which is more than any of its uses draws. */
#include "worker/engine/rng.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 10, BLOCK_BITS = 24 };

void
rng_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t a = (uint64_t)0xD2511F53 * c[0];
        const uint64_t b = (uint64_t)0xCD9E8D57 * c[2];
        const uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b,
                                  (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a};

        memcpy(c, next, sizeof(c));
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    memcpy(out, c, sizeof(c));
}

struct rng
rng_stream(uint64_t seed, enum rng_purpose purpose, uint32_t epoch, uint64_t index)
{
    return (struct rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {(uint32_t)purpose << BLOCK_BITS, epoch, (uint32_t)index,
                    (uint32_t)(index >> 32)},
    };
}

static void
refill(struct rng *r)
{
    rng_philox(r->out, r->counter, r->key);
    r->counter[0]++;
    assert(r->counter[0] << (32 - BLOCK_BITS) != 0); /* the stream is used up */
    r->left = 4;
}

uint32_t
rng_u32(struct rng *r)
{
    if (r->left == 0)
        refill(r);
    return r->out[4 - r->left--];
}

float
rng_uniform(struct rng *r)
{
    return (float)(rng_u32(r) >> 8) * 0x1p-24f;
}

/* Lemire, "Fast random integer generation in an interval" (2019). */
uint32_t
rng_below(struct rng *r, uint32_t n)
{
    assert(n >= 1);
    const uint32_t threshold = -n % n; /* 2^32 mod n */
    uint64_t product;

    do
        product = (uint64_t)rng_u32(r) * n;
    while ((uint32_t)product < threshold);
    return (uint32_t)(product >> 32);
}

/* Uniform in (0, 1). */
static double
open_uniform(struct rng *r)
{
    return ((double)rng_u32(r) + 0.5) * 0x1p-32;
}

double
rng_normal(struct rng *r)
{
    const double radius = sqrt(-2.0 * log(open_uniform(r)));

    return radius * cos(2.0 * M_PI * open_uniform(r));
}

/* Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), with
 * their section 6 for shape < 1. */
double
rng_gamma(struct rng *r, double shape)
{
    assert(shape > 0.0);
    if (shape < 1.0) {
        const double g = rng_gamma(r, shape + 1.0);
        return g * pow(open_uniform(r), 1.0 / shape);
    }
    const double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);

    for (;;) {
        const double x = rng_normal(r), t = 1.0 + c * x;
        if (t <= 0.0)
            continue;
        const double v = t * t * t;
        if (log(open_uniform(r)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

void
rng_shuffle(struct rng *r, int64_t *order, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = rng_below(r, (uint32_t)(i + 1));
        const int64_t kept = order[i];

        order[i] = order[j];
        order[j] = kept;
    }
}
