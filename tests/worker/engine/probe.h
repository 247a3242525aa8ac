#ifndef TESTS_WORKER_ENGINE_PROBE_H
#define TESTS_WORKER_ENGINE_PROBE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/engine/net.h"
#include "worker/engine/rng.h"

/* What the engine's tests share: random doubles that floats hold exactly, and nets whose
 * parameters are random. */

/* Uniform in [-scale, scale), the same numbers for the same seed. */
static inline void
probe_random(double *x, int64_t n, double scale, uint32_t seed)
{
    struct rng r = rng_stream(99, RNG_BENCH, seed, 0);

    for (int64_t i = 0; i < n; i++)
        x[i] = (double)(float)(scale * (2.0 * (double)rng_uniform(&r) - 1.0));
}

static inline void
probe_floats(float *to, const double *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

static inline double *
probe_array(int64_t n, double scale, uint32_t seed)
{
    double *x = calloc((size_t)(n > 0 ? n : 1), sizeof(*x));

    if (scale > 0.0)
        probe_random(x, n, scale, seed);
    return x;
}

static inline float *
probe_float_array(const double *from, int64_t n)
{
    float *x = calloc((size_t)(n > 0 ? n : 1), sizeof(*x));

    if (from != NULL)
        probe_floats(x, from, n);
    return x;
}

static inline struct net *
probe_net_of(const struct graph *g, const struct net_config *config)
{
    struct net *n;
    struct err err;

    if (net_new(&n, g, config, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        fail();
    }
    return n;
}

static inline struct net *
probe_net(const struct graph *g, const struct backend *backend, struct team *team,
          int64_t max_batch, bool gradients)
{
    return probe_net_of(g, &(struct net_config){.backend = backend,
                                                .team = team,
                                                .max_batch = max_batch,
                                                .gradients = gradients});
}

/* With gradients. */
static inline struct net *
probe_net_keep(const struct graph *g, const struct backend *backend, struct team *team,
               int64_t max_batch, enum net_keep keep)
{
    return probe_net_of(g, &(struct net_config){.backend = backend,
                                                .team = team,
                                                .max_batch = max_batch,
                                                .gradients = true,
                                                .keep = keep});
}

/* Every parameter from its own stream; variances stay positive. */
static inline void
probe_fill(struct net *n)
{
    size_t count;
    struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++) {
        double *x = probe_array(params[i].size, 0.4, 1000 + (uint32_t)i);
        for (int64_t k = 0; k < params[i].size; k++) {
            const bool positive =
                params[i].role == NET_RUNNING_VAR || params[i].role == NET_NORM_WEIGHT;
            params[i].value[k] = (float)(x[k] + (positive ? 1.0 : 0.0));
        }
        if (params[i].role == NET_BATCHES)
            params[i].value[0] = 0.0f;
        free(x);
    }
    net_params_changed(n);
}

/* About two thirds ones. */
static inline void
probe_mask(uint8_t *mask, int64_t n, uint32_t seed)
{
    struct rng r = rng_stream(98, RNG_BENCH, seed, 0);

    for (int64_t i = 0; i < n; i++)
        mask[i] = rng_below(&r, 3) > 0;
}

#endif
