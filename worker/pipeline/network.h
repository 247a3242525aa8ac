#ifndef WORKER_PIPELINE_NETWORK_H
#define WORKER_PIPELINE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "worker/data/dataset.h"
#include "worker/engine/net.h"
#include "worker/models/model.h"

/* What a network of a stage is made of. */
struct network_config {
    const char *model;          /* name in the models' registry */
    const struct dataset *data; /* gives shape, classes and normalisation; borrowed */
    enum model_role role;
    int bn_paths;
    bool shared_shortcut_bn;
    const struct backend *backend;
    struct team *team;
    int64_t max_batch;
    bool gradients; /* and the following: see net_config */
    bool frozen;
    enum net_keep keep;
    enum net_packing packing;
    struct net *lender;
    bool brief;
};

/* Builds and allocates; parameters are all zero. Caller frees with net_free. */
MUST_CHECK int network_new(struct net **out, const struct network_config *config,
                           struct err *err);

/* "single" | "dual" | "triple" -> 1, 2, 3; NULL is single. */
int network_bn_paths(const char *name);

/* The weight of the convolution that feeds activation `mask`. */
const struct net_param *network_conv_before(struct net *n, const char *model, int mask);

/* Ones in mask `index`. */
int64_t network_layer_relus(const struct net *n, int index);

/* Ones in all masks: the ReLUs that the network has left. */
int64_t network_relus(const struct net *n);

/* Numbers in mask `index`. */
int64_t network_mask_size(const struct net *n, int index);

#endif
