/* init.c - random start of a network's parameters; see init.h. */
#include "worker/models/init.h"

#include <math.h>
#include <stdbool.h>

#include "worker/engine/rng.h"

/* FNV-1a, 64 bits. */
static uint64_t
hash_name(const char *name)
{
    uint64_t h = 14695981039346656037U;

    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211U;
    return h;
}

static void
fill(struct net_param *p, float value)
{
    for (int64_t i = 0; i < p->size; i++)
        p->value[i] = value;
}

static void
fill_normal(struct net_param *p, double std, struct rng *r)
{
    for (int64_t i = 0; i < p->size; i++)
        p->value[i] = (float)(std * rng_normal(r));
}

/* Uniform in [-bound, bound). */
static void
fill_uniform(struct net_param *p, double bound, struct rng *r)
{
    for (int64_t i = 0; i < p->size; i++)
        p->value[i] = (float)(bound * (2 * (double)rng_uniform(r) - 1));
}

/* Inputs of the linear layer: the bias does not know them, its weight does. */
static int64_t
linear_inputs(const struct net_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (params[i].role == NET_LINEAR_WEIGHT)
            return params[i].dims[1];
    return 1;
}

/* Normal with std sqrt(2 / fan). */
static void
fill_kaiming(struct net_param *p, bool fan_in, struct rng *r)
{
    const int64_t kernel = p->n_dims == 4 ? p->dims[2] * p->dims[3] : 1;

    fill_normal(p, sqrt(2 / (double)(p->dims[fan_in ? 1 : 0] * kernel)), r);
}

void
init_params(struct net *n, uint64_t seed, unsigned choices)
{
    size_t count;
    struct net_param *params = net_params(n, &count);
    const bool fan_in = (choices & INIT_FAN_IN) != 0;
    const double bound = 1 / sqrt((double)linear_inputs(params, count));

    for (size_t i = 0; i < count; i++) {
        struct net_param *p = &params[i];
        struct rng r = rng_stream(seed, RNG_INIT, 0, hash_name(p->name));
        switch (p->role) {
        case NET_CONV_WEIGHT: fill_kaiming(p, fan_in, &r); break;
        case NET_LINEAR_WEIGHT:
            if (fan_in)
                fill_kaiming(p, true, &r);
            else
                fill_uniform(p, bound, &r);
            break;
        case NET_LINEAR_BIAS:
            fill_uniform(p, choices & INIT_ZERO_BIAS ? 0 : bound, &r);
            break;
        case NET_NORM_WEIGHT:
        case NET_RUNNING_VAR: fill(p, 1); break;
        case NET_NORM_BIAS:
        case NET_RUNNING_MEAN:
        case NET_BATCHES: fill(p, 0); break;
        }
    }
    net_params_changed(n);
}
