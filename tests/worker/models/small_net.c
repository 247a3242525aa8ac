/* small_net.c - networks and numbers for tests. */
#include "tests/worker/models/small_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "worker/engine/rng.h"

struct net *
small_net_new(const struct small_net *want, struct team *team)
{
    const struct model *model = model_find(want->model ? want->model : "resnet10-w8");
    const struct model_config shape = {.classes = want->classes,
                                       .c = 3,
                                       .h = want->size,
                                       .w = want->size,
                                       .mean = {0.5f, 0.5f, 0.5f},
                                       .std = {0.25f, 0.25f, 0.25f},
                                       .bn_paths = want->bn_paths,
                                       .role = want->role,
                                       .shared_shortcut_bn = want->shared_shortcut_bn};
    struct net_config memory = {.team = team,
                                .max_batch = want->max_batch,
                                .gradients = want->gradients,
                                .keep = want->keep};
    struct net *n = NULL;
    struct err err;

    assert_non_null(model);
    struct graph *g = model->build(&shape);
    if (backend_find(&memory.backend, want->backend ? want->backend : "blas", &err) != 0
        || net_new(&n, g, &memory, &err) != 0)
        fail_msg("%s", err.text);
    graph_free(g);
    model->init(n, want->seed);
    return n;
}

float *
small_floats(int64_t n, double low, double high, uint64_t index)
{
    struct rng r = rng_stream(7, RNG_BENCH, 0, index);
    float *values = xmalloc((size_t)n * sizeof *values);

    for (int64_t i = 0; i < n; i++)
        values[i] = (float)(low + (high - low) * (double)rng_uniform(&r));
    return values;
}

float *
small_net_values(struct net *n, int64_t *count)
{
    size_t n_params;
    const struct net_param *params = net_params(n, &n_params);
    float *values = NULL;

    *count = 0;
    for (size_t i = 0; i < n_params; i++) {
        values = xrealloc(values, (size_t)(*count + params[i].size) * sizeof *values);
        memcpy(values + *count, params[i].value,
               (size_t)params[i].size * sizeof(float));
        *count += params[i].size;
    }
    return values;
}

void
small_net_copy(struct net *to, struct net *from)
{
    size_t count;
    const struct net_param *params = net_params(from, &count);

    for (size_t i = 0; i < count; i++) {
        struct net_param *p = net_find_param(to, params[i].name);
        assert_non_null(p);
        memcpy(p->value, params[i].value, (size_t)p->size * sizeof(float));
    }
    net_params_changed(to);
}
