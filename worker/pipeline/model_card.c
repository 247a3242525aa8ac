/* model_card.c - a network described for other programs. Pure. */
#include "worker/pipeline/model_card.h"

#include <stdlib.h>

#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "worker/pipeline/network.h"

static json_t *
input_json(const struct dataset *d)
{
    json_t *mean = json_array(), *std = json_array();

    for (int64_t c = 0; c < d->c; c++) {
        json_array_append_new(mean, json_real((double)d->mean[c]));
        json_array_append_new(std, json_real((double)d->std[c]));
    }
    return json_pack("{s:[I,I,I], s:[i,i], s:s, s:o, s:o}", "shape", (json_int_t)d->c,
                     (json_int_t)d->h, (json_int_t)d->w, "range", 0, 1, "layout",
                     "NCHW", "mean", mean, "std", std);
}

static json_t *
layers_json(const struct net *n)
{
    json_t *layers = json_array();

    for (int i = 0; i < graph_n_masks(net_graph(n)); i++)
        json_array_append_new(layers, json_integer(network_layer_relus(n, i)));
    return layers;
}

json_t *
model_card(struct net *n, const struct model_info *info, const struct dataset *shape)
{
    const struct graph *g = net_graph(n);
    json_t *card =
        json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:i, s:o}", "program",
                  "relusweep " RELUSWEEP_VERSION, "model", info->model, "source",
                  model_find(info->model)->source, "dataset", info->dataset, "classes",
                  (json_int_t)info->classes, "role",
                  info->role == MODEL_TEACHER ? "teacher" : "student", "bn_paths",
                  info->bn_paths, "input", input_json(shape));

    json_object_update_new(card,
                           json_pack("{s:I, s:I, s:o, s:I, s:I, s:s}", "relus",
                                     (json_int_t)info->relu_count, "relus_total",
                                     (json_int_t)graph_relus(g), "relus_by_layer",
                                     layers_json(n), "macs", (json_int_t)graph_macs(g),
                                     "parameters", (json_int_t)graph_n_weights(g),
                                     "selected_on", info->selected_on));
    if (info->val_accuracy >= 0)
        json_object_set_new(card, "selection_accuracy", json_real(info->val_accuracy));
    return card;
}
