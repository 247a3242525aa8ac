#ifndef TESTS_WORKER_MODELS_SMALL_NET_H
#define TESTS_WORKER_MODELS_SMALL_NET_H

#include "worker/engine/net.h"
#include "worker/engine/team.h"
#include "worker/models/model.h"

/* Small networks for tests: 3 channels, normalised with mean 0.5 and std 0.25. */
struct small_net {
    const char *model, *backend; /* NULL: "resnet10-w8", "blas" */
    enum model_role role;
    int bn_paths;
    int64_t classes, size, max_batch;
    bool shared_shortcut_bn, gradients;
    enum net_keep keep;
    uint64_t seed;
};

/* Built, allocated and initialised; fails the test where that is not possible. */
struct net *small_net_new(const struct small_net *want, struct team *team);

/* n numbers in [low, high) of the test stream `index`; caller frees. */
float *small_floats(int64_t n, double low, double high, uint64_t index);

/* The trained and running numbers of a net, one after the other; caller frees. */
float *small_net_values(struct net *n, int64_t *count);

/* Copies parameters and running statistics by name; both have the same names. */
void small_net_copy(struct net *to, struct net *from);

#endif
