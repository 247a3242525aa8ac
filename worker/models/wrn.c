/*
 * wrn.c - WRN-22-8 (Zagoruyko and Komodakis 2016; methods.md 1.2, 1.6): pre-activation
 * blocks, three groups of three, widths 16 | 128 256 512, no dropout.
 *
 *   equal channels: y = x + conv2(relu(bn2(conv1(relu(bn1(x))))))
 *   else: x := relu(bn1(x)),  y = convShortcut(x) + conv2(relu(bn2(conv1(x))))
 *
 * The shortcut of a block that changes the width takes the activated x and has no batch
 * norm, so teacher and student have the same names. Group outputs are the raw block
 * outputs on both sides. SNL and BCD have no ReLU after the last batch norm (methods.md
 * 1.3).
 */
#include <stdio.h>

#include "worker/models/init.h"
#include "worker/models/model.h"
#include "worker/models/sensitivity.h"

enum { GROUPS = 3, BLOCKS = 3, STEM = 16, WIDTH = 128 };

static int
conv(struct graph *g, int x, const char *prefix, const char *name, int64_t channels,
     int64_t kernel, int64_t stride)
{
    char full[64];

    snprintf(full, sizeof full, "%s%s", prefix, name);
    const struct graph_conv shape = {.name = full,
                                     .channels = channels,
                                     .kernel = kernel,
                                     .stride = stride,
                                     .pad = kernel / 2};
    return graph_conv(g, x, &shape);
}

static int
norm(struct graph *g, int x, const char *prefix, const char *name, int paths,
     enum graph_act act)
{
    char full[64];

    snprintf(full, sizeof full, "%s%s", prefix, name);
    const struct graph_norm shape = {
        .name = full, .paths = paths, .residual = -1, .act = act};
    return graph_norm(g, x, &shape);
}

/* relu(bn(x)) */
static int
activate(struct graph *g, int x, const char *prefix, const char *name, int paths)
{
    return norm(g, x, prefix, name, paths, GRAPH_RELU);
}

static int
block(struct graph *g, int x, const char *prefix, int paths, int64_t channels,
      int64_t stride)
{
    const bool same = graph_shape(g, x).c == channels;
    const int active = activate(g, x, prefix, "bn1", paths);
    const int skip =
        same ? x : conv(g, active, prefix, "convShortcut", channels, 1, stride);

    int y = conv(g, active, prefix, "conv1", channels, 3, stride);
    y = activate(g, y, prefix, "bn2", paths);
    y = conv(g, y, prefix, "conv2", channels, 3, 1);
    return graph_add(g, y, skip);
}

static struct graph *
build(const struct model_config *config, enum graph_act last)
{
    struct graph *g = graph_new(config->c, config->h, config->w);
    int x = graph_normalize(g, graph_input(g), config->mean, config->std);

    x = conv(g, x, "", "conv1", STEM, 3, 1);
    for (int group = 0; group < GROUPS; group++) {
        for (int b = 0; b < BLOCKS; b++) {
            char prefix[32];
            snprintf(prefix, sizeof prefix, "block%d.layer.%d.", group + 1, b);
            x = block(g, x, prefix, config->bn_paths, WIDTH << group,
                      group > 0 && b == 0 ? 2 : 1);
        }
        graph_group(g, x);
    }
    x = norm(g, x, "", "bn1", config->bn_paths, last);
    graph_linear(g, graph_pool(g, x), "fc", config->classes);
    return g;
}

static struct graph *
build_released(const struct model_config *config)
{
    return build(config, GRAPH_RELU);
}

static struct graph *
build_snl(const struct model_config *config)
{
    return build(config, GRAPH_LINEAR);
}

static void
init(struct net *n, uint64_t seed)
{
    init_params(n, seed, INIT_ZERO_BIAS);
}

const struct model model_wrn_22_8 = {
    .name = "wrn-22-8",
    .doc = "wide ResNet, 22 layers, widening factor 8",
    .source = "Zagoruyko and Komodakis, BMVC 2016",
    .build = build_released,
    .init = init,
    .sensitivity = sensitivity_wrn,
};

const struct model model_wrn_22_8_snl = {
    .name = "wrn-22-8-snl",
    .doc = "wide ResNet without ReLU after its last batch norm",
    .source = "Zagoruyko and Komodakis, BMVC 2016, as SNL and BCD have it",
    .build = build_snl,
    .init = init,
    .sensitivity = sensitivity_wrn_snl,
};
