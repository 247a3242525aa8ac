/*
 * resnet.c - ResNets with the CIFAR stem and basic blocks (He et al. 2016; methods.md
 * 1.1, 1.5, 1.6): 3x3 stem without pooling, four groups, the first block of groups 2-4
 * with stride 2, global average pool, linear layer.
 *
 *   y = relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))
 *
 * Teacher and student are one network with two spellings of the shortcut. Activations
 * are numbered stem, then per block the inner one and the outer one. SNL and BCD have no
 * activation after the stem, and one spelling (methods.md 1.3).
 */
#include <stdio.h>

#include "worker/models/init.h"
#include "worker/models/model.h"
#include "worker/models/sensitivity.h"

enum { GROUPS = 4 };

/* Depth and width of one relative: group i has blocks[i] blocks of width << i. */
struct variant {
    int blocks[GROUPS];
    int64_t width;
    bool snl; /* SNL's: linear stem, a shortcut spelled as the teacher's */
};

/* What a block is built by. */
struct build {
    const struct variant *v;
    const struct model_config *config;
};

static int
conv(struct graph *g, int x, const char *prefix, const char *name,
     struct graph_conv shape)
{
    char full[64];

    snprintf(full, sizeof full, "%s%s", prefix, name);
    shape.name = full;
    return graph_conv(g, x, &shape);
}

static int
norm(struct graph *g, int x, const char *prefix, const char *name,
     struct graph_norm shape)
{
    char full[64];

    snprintf(full, sizeof full, "%s%s", prefix, name);
    shape.name = full;
    return graph_norm(g, x, &shape);
}

/* Paths of a shortcut's batch norm. The released dual teacher has one that both paths
 * share; single and triple networks have as many as everywhere else. */
static int
shortcut_paths(const struct model_config *config)
{
    const bool shared = config->role == MODEL_TEACHER && config->shared_shortcut_bn
                        && config->bn_paths == 2;
    return shared ? 1 : config->bn_paths;
}

/* x itself, or its 1x1 projection where the shape changes. */
static int
shortcut(struct graph *g, const struct build *b, int x, const char *prefix,
         int64_t channels, int64_t stride)
{
    const bool teacher = b->config->role == MODEL_TEACHER || b->v->snl;

    if (stride == 1 && graph_shape(g, x).c == channels)
        return x;
    x = conv(g, x, prefix, teacher ? "shortcut.0" : "conv_sc",
             (struct graph_conv){.channels = channels, .kernel = 1, .stride = stride});
    return norm(g, x, prefix, teacher ? "shortcut.1" : "bn_sc",
                (struct graph_norm){.paths = shortcut_paths(b->config),
                                    .residual = -1,
                                    .act = GRAPH_LINEAR});
}

static int
basic_block(struct graph *g, const struct build *b, int x, const char *prefix,
            int64_t channels, int64_t stride)
{
    const struct model_config *config = b->config;
    const struct graph_conv first = {
        .channels = channels, .kernel = 3, .stride = stride, .pad = 1};
    const struct graph_conv second = {
        .channels = channels, .kernel = 3, .stride = 1, .pad = 1};
    const struct graph_norm inner = {
        .paths = config->bn_paths, .residual = -1, .act = GRAPH_RELU};

    int y = conv(g, x, prefix, "conv1", first);
    y = norm(g, y, prefix, "bn1", inner);
    y = conv(g, y, prefix, "conv2", second);
    const struct graph_norm outer = {.paths = config->bn_paths,
                                     .residual =
                                         shortcut(g, b, x, prefix, channels, stride),
                                     .act = GRAPH_RELU};
    return norm(g, y, prefix, "bn2", outer);
}

static struct graph *
build(const struct variant *v, const struct model_config *config)
{
    const struct build how = {v, config};
    struct graph *g = graph_new(config->c, config->h, config->w);
    int x = graph_normalize(g, graph_input(g), config->mean, config->std);

    x = conv(
        g, x, "", "conv1",
        (struct graph_conv){.channels = v->width, .kernel = 3, .stride = 1, .pad = 1});
    x = norm(g, x, "", "bn1",
             (struct graph_norm){.paths = config->bn_paths,
                                 .residual = -1,
                                 .act = v->snl ? GRAPH_LINEAR : GRAPH_RELU});
    for (int group = 0; group < GROUPS; group++) {
        for (int b = 0; b < v->blocks[group]; b++) {
            char prefix[32];
            snprintf(prefix, sizeof prefix, "layer%d.%d.", group + 1, b);
            x = basic_block(g, &how, x, prefix, v->width << group,
                            group > 0 && b == 0 ? 2 : 1);
        }
        graph_group(g, x);
    }
    graph_linear(g, graph_pool(g, x), "linear", config->classes);
    return g;
}

static void
init(struct net *n, uint64_t seed)
{
    init_params(n, seed, 0);
}

static void
init_snl(struct net *n, uint64_t seed)
{
    init_params(n, seed, INIT_FAN_IN);
}

/* One relative a line. The registry row of `id` is its only public symbol. */
#define VARIANT(id, label, from, b1, b2, b3, b4, base, is_snl, start, curve, text) \
    static struct graph *build_##id(const struct model_config *config)             \
    {                                                                              \
        static const struct variant v = {                                          \
            .blocks = {b1, b2, b3, b4}, .width = base, .snl = is_snl};             \
        return build(&v, config);                                                  \
    }                                                                              \
    const struct model model_##id = {                                              \
        .name = label,                                                             \
        .doc = text,                                                               \
        .source = "He et al., CVPR 2016, with the stem of " from,                  \
        .build = build_##id,                                                       \
        .init = start,                                                             \
        .sensitivity = curve,                                                      \
        .first_conv = is_snl,                                                      \
    };
#define RESNET(id, label, b1, b2, b3, b4, base, text)                        \
    VARIANT(id, label, "RLNet and SENet", b1, b2, b3, b4, base, false, init, \
            sensitivity_resnet, text)
#define SNL(id, label, b1, b2, b3, b4, base, text)                          \
    VARIANT(id, label, "SNL and BCD", b1, b2, b3, b4, base, true, init_snl, \
            sensitivity_resnet18_snl, text)

/* clang-format off */
RESNET(resnet18,     "resnet18",     2, 2, 2, 2, 64, "ResNet18, widths 64-512")
RESNET(resnet34,     "resnet34",     3, 4, 6, 3, 64, "ResNet34, widths 64-512")
RESNET(resnet10_w16, "resnet10-w16", 1, 1, 1, 1, 16, "one block a group, widths 16-128")
RESNET(resnet10_w8,  "resnet10-w8",  1, 1, 1, 1, 8,  "one block a group, widths 8-64")
RESNET(resnet18_w16, "resnet18-w16", 2, 2, 2, 2, 16, "ResNet18, a quarter of the width")
SNL(resnet18_snl,    "resnet18-snl", 2, 2, 2, 2, 64, "ResNet18 without ReLU in its stem")
/* clang-format on */
