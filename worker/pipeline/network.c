/* network.c - from a model's name to a net with memory, and counting its ReLUs. */
#include "worker/pipeline/network.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

/* Where they are that small, reading them takes less time than making them anew. */
enum { SMALL_MAPS_BYTES = 32 << 20 };

/* From here on the layers are many, and what each of them keeps adds up. */
enum { MANY_WEIGHTS = 16 << 20 };

/* What a net for training keeps of its maps, of which none may be asked for. */
static enum net_keep
kept_maps(const struct network_config *config, const struct graph *g)
{
    const int64_t bytes = graph_relus(g) * config->max_batch * (int64_t)sizeof(float);
    const bool training = config->gradients && !config->frozen;

    return training && bytes <= SMALL_MAPS_BYTES ? NET_KEEP_MAPS : config->keep;
}

static enum net_packing
packing(const struct network_config *config, const struct graph *g)
{
    const bool many = graph_n_weights(g) >= MANY_WEIGHTS;

    return config->packing == NET_PACK_LATE && many ? NET_PACK_LATEST : config->packing;
}

int
network_new(struct net **out, const struct network_config *config, struct err *err)
{
    const struct model *model = model_find(config->model);
    const struct dataset *d = config->data;

    *out = NULL;
    if (model == NULL)
        return err_set(err, ERR_DATA, "this program has no model `%s`", config->model);
    struct model_config shape = {.classes = d->classes,
                                 .c = d->c,
                                 .h = d->h,
                                 .w = d->w,
                                 .bn_paths = config->bn_paths,
                                 .role = config->role,
                                 .shared_shortcut_bn = config->shared_shortcut_bn};
    memcpy(shape.mean, d->mean, sizeof shape.mean);
    memcpy(shape.std, d->std, sizeof shape.std);
    struct graph *g = model->build(&shape);
    const struct net_config memory = {.backend = config->backend,
                                      .team = config->team,
                                      .max_batch = config->max_batch,
                                      .gradients = config->gradients,
                                      .frozen = config->frozen,
                                      .keep = kept_maps(config, g),
                                      .packing = packing(config, g),
                                      .lender = config->lender,
                                      .brief = config->brief};
    const int rc = net_new(out, g, &memory, err);
    graph_free(g);
    return rc == 0 ? 0 : err_wrap(err, "network %s", config->model);
}

int
network_bn_paths(const char *name)
{
    if (name == NULL || strcmp(name, "single") == 0)
        return 1;
    return strcmp(name, "dual") == 0 ? 2 : 3;
}

/* Models have one 3x3 convolution for each activation, in the same order, after
 * `first_conv` others; 1x1 convolutions are shortcuts. */
const struct net_param *
network_conv_before(struct net *n, const char *model, int mask)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);
    int left = mask + model_find(model)->first_conv;

    for (size_t i = 0; i < count; i++)
        if (params[i].role == NET_CONV_WEIGHT && params[i].dims[2] > 1 && left-- == 0)
            return &params[i];
    return NULL;
}

int64_t
network_mask_size(const struct net *n, int index)
{
    const struct graph_shape s = graph_mask_shape(net_graph(n), index);

    return s.c * s.h * s.w;
}

int64_t
network_layer_relus(const struct net *n, int index)
{
    const int64_t size = network_mask_size(n, index);
    uint8_t *mask = xmalloc((size_t)size);
    int64_t ones = 0;

    net_get_mask(n, index, mask);
    for (int64_t i = 0; i < size; i++)
        ones += mask[i];
    free(mask);
    return ones;
}

int64_t
network_relus(const struct net *n)
{
    int64_t ones = 0;

    for (int i = 0; i < graph_n_masks(net_graph(n)); i++)
        ones += network_layer_relus(n, i);
    return ones;
}
