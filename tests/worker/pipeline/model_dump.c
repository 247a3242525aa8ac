/*
 * model_dump.c - a network with random weights, masks and running statistics, for
 * interchange_torch.py: its model file, and what it says about some images.
 * usage: model_dump MODEL ROLE PATHS RELUS_PER_CENT MODEL.safetensors LOGITS.safetensors
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "tests/worker/models/small_net.h"
#include "worker/engine/rng.h"
#include "worker/pipeline/model_file.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/safetensors.h"

enum { N = 4, K = 10, SIZE = 32 };

static void
draw_masks(struct net *n, float density)
{
    for (int layer = 0; layer < graph_n_masks(net_graph(n)); layer++) {
        const int64_t size = network_mask_size(n, layer);
        struct rng r = rng_stream(3, RNG_MASK, 0, (uint64_t)layer);
        uint8_t *mask = xmalloc((size_t)size);
        for (int64_t i = 0; i < size; i++)
            mask[i] = rng_uniform(&r) < density && layer != 2; /* one without any */
        net_set_mask(n, layer, mask);
        free(mask);
    }
}

/* Running statistics that differ between the paths. */
static void
see_data(struct net *n, int paths)
{
    for (int path = 0; path < paths; path++) {
        float *x = small_floats((int64_t)N * 3 * SIZE * SIZE, -1 - path, 2, 5);
        net_forward(n, x, N, NET_TRAIN, path);
        free(x);
    }
}

static int
save_logits(struct net *n, int paths, const char *path, struct err *err)
{
    static const int64_t images[] = {N, 3, SIZE, SIZE}, rows[] = {N, K};
    float *x = small_floats((int64_t)N * 3 * SIZE * SIZE, 0, 1, 0);
    struct st_writer *w = st_writer_new();
    static float logits[GRAPH_MAX_PATHS][N * K];

    st_writer_add(w, "x", ST_F32, images, 4, x);
    for (int p = 0; p < paths; p++) {
        char name[24];
        snprintf(name, sizeof name, "logits/%d", p);
        memcpy(logits[p], net_forward(n, x, N, NET_EVAL, p), sizeof logits[p]);
        st_writer_add(w, name, ST_F32, rows, 2, logits[p]);
    }
    const int rc = st_writer_save(w, path, err);
    st_writer_free(w);
    free(x);
    return rc;
}

static struct net *
make_net(const char *model, const struct model_info *info, struct team *team)
{
    const struct dataset_source *set = dataset_find(info->dataset);
    struct dataset shape = {.c = 3, .h = SIZE, .w = SIZE, .classes = K};
    struct network_config config = {.model = model,
                                    .data = &shape,
                                    .role = info->role,
                                    .bn_paths = info->bn_paths,
                                    .shared_shortcut_bn = info->shared_shortcut_bn,
                                    .team = team,
                                    .max_batch = N,
                                    .gradients = true};
    struct net *n;
    struct err err;

    memcpy(shape.mean, set->mean, sizeof shape.mean);
    memcpy(shape.std, set->std, sizeof shape.std);
    if (backend_find(&config.backend, "auto", &err) != 0
        || network_new(&n, &config, &err) != 0) {
        fprintf(stderr, "model_dump: %s\n", err.text);
        exit(1);
    }
    model_find(model)->init(n, 1);
    net_params_changed(n);
    return n;
}

int
main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    const bool teacher = strcmp(argv[2], "teacher") == 0;
    const int paths = atoi(argv[3]);
    struct team *team = team_new(1);
    struct model_info info = {.dataset = "synthetic",
                              .classes = K,
                              .role = teacher ? MODEL_TEACHER : MODEL_STUDENT,
                              .bn_paths = paths,
                              .shared_shortcut_bn = teacher,
                              .val_accuracy = 12.5,
                              .selected_on = "last"};
    struct net *n = make_net(argv[1], &info, team);
    struct err err;

    draw_masks(n, (float)atoi(argv[4]) / 100);
    see_data(n, paths);
    snprintf(info.model, sizeof info.model, "%s", argv[1]);
    info.relu_count = network_relus(n);
    int rc = model_file_save(n, &info, argv[5], &err);
    if (rc == 0)
        rc = save_logits(n, paths, argv[6], &err);
    if (rc != 0)
        fprintf(stderr, "model_dump: %s\n", err.text);
    net_free(n);
    team_free(team);
    return rc == 0 ? 0 : 1;
}
