#ifndef TESTS_WORKER_ENGINE_SMALL_RESNET_H
#define TESTS_WORKER_ENGINE_SMALL_RESNET_H

#include "tests/worker/engine/probe.h"

/* A residual net with all that the models have: normalisation, a strided block with a
 * shortcut of one path, an identity block, dual paths, masks, groups, odd channels. */
enum { SMALL_C = 3, SMALL_SIDE = 9, SMALL_CLASSES = 4, SMALL_MASKS = 4 };
enum { SMALL_IMAGE = SMALL_C * SMALL_SIDE * SMALL_SIDE };

static const float small_mean[3] = {0.5f, 0.25f, 0.375f};
static const float small_std[3] = {0.25f, 0.5f, 0.75f};

static inline int
small_norm(struct graph *g, int x, const char *name, int paths, int residual,
           enum graph_act act)
{
    return graph_norm(g, x, &(struct graph_norm){name, paths, residual, act});
}

static inline struct graph *
small_resnet(void)
{
    struct graph *g = graph_new(SMALL_C, SMALL_SIDE, SMALL_SIDE);
    int x = graph_normalize(g, graph_input(g), small_mean, small_std);

    x = graph_conv(g, x, &(struct graph_conv){"conv1", 5, 3, 1, 1});
    const int a = small_norm(g, x, "bn1", 2, -1, GRAPH_RELU);
    x = graph_conv(g, a, &(struct graph_conv){"conv2", 9, 3, 2, 1});
    x = small_norm(g, x, "bn2", 2, -1, GRAPH_RELU);
    x = graph_conv(g, x, &(struct graph_conv){"conv3", 9, 3, 1, 1});
    int s = graph_conv(g, a, &(struct graph_conv){"short", 9, 1, 2, 0});
    s = small_norm(g, s, "bns", 1, -1, GRAPH_LINEAR);
    const int b = small_norm(g, x, "bn3", 2, s, GRAPH_RELU);
    graph_group(g, b);
    x = graph_conv(g, b, &(struct graph_conv){"conv4", 9, 3, 1, 1});
    x = small_norm(g, x, "bn4", 2, b, GRAPH_RELU);
    graph_group(g, x);
    graph_linear(g, graph_pool(g, x), "fc", SMALL_CLASSES);
    return g;
}

/* Mixed masks on layers 1, 2, 3; layer 0 keeps all ones. */
static inline void
small_set_masks(struct net *n)
{
    for (int i = 1; i < SMALL_MASKS; i++) {
        const struct graph_shape s = graph_mask_shape(net_graph(n), i);
        uint8_t mask[SMALL_SIDE * SMALL_SIDE * 16];
        probe_mask(mask, s.c * s.h * s.w, 40 + (uint32_t)i);
        net_set_mask(n, i, mask);
    }
}

#endif
