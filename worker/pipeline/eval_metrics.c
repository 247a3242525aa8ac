/*
 * eval_metrics.c - the numbers of a report, from answers to images. Pure: measures
 * nothing and reads no file. Percentages are of the images that were measured.
 */
#include "worker/pipeline/eval_metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/graph_node.h"
#include "worker/engine/ops/op.h"
#include "worker/methods/gives.h"
#include "worker/pipeline/network.h"

/* Mean error of each corruption of Tiny-ImageNet-C for a normally trained ResNet18
 * (Wang et al., AugMax, NeurIPS 2021; methods.md 2.4), by corruption.index. */
static const double tiny_baseline[15] = {0.8037, 0.7597, 0.7758, 0.8426, 0.8274,
                                         0.7907, 0.8212, 0.7497, 0.7381, 0.7433,
                                         0.6800, 0.8939, 0.7308, 0.6121, 0.6452};

/* name: lives as long as the metrics. */
static void
add(struct eval_metrics *m, const char *name, double value)
{
    const struct gives_row *kind = gives_metric("evaluate", name);

    assert(kind != NULL);
    m->items = xgrow(m->items, &m->capacity, m->n + 1, sizeof *m->items);
    m->items[m->n++] = (struct metric){.name = name,
                                       .value = value,
                                       .step = -1,
                                       .unit = kind->unit,
                                       .goal = kind->goal};
}

void
eval_metrics_release(struct eval_metrics *m)
{
    free(m->items);
    arena_release(&m->names);
    *m = (struct eval_metrics){0};
}

/* ---- accuracies ------------------------------------------------------------------ */

/* class/<k>/<what> for every class that has images. */
static void
add_classes(struct eval_metrics *m, const struct eval_part *part,
            const struct dataset *test, const char *what)
{
    int64_t *n = xcalloc((size_t)test->classes, sizeof *n);
    int64_t *right = xcalloc((size_t)test->classes, sizeof *right);

    for (int64_t i = 0; i < part->done; i++) {
        const uint16_t k = test->labels[part->order[i]];
        n[k]++;
        right[k] += part->right[i];
    }
    for (int64_t k = 0; k < test->classes; k++)
        if (n[k] > 0)
            add(m, arena_printf(&m->names, "class/%" PRId64 "/%s", k, what),
                100.0 * (double)right[k] / (double)n[k]);
    free(n);
    free(right);
}

struct corruption_sums {
    double accuracy, normalised; /* per cent, summed over corruptions */
    int n;
};

/* Severities are averaged first (methods.md 2.4). first: the part of severity 1. */
static void
add_corruption(struct eval_metrics *m, const struct eval_part *first,
               struct corruption_sums *sums)
{
    double mean = 0;

    for (int s = 0; s < CORRUPTION_SEVERITIES; s++)
        mean += eval_part_percent(&first[s]) / CORRUPTION_SEVERITIES;
    add(m, arena_printf(&m->names, "corruption/%s/mean", first->corruption->name),
        mean);
    sums->accuracy += mean;
    sums->normalised += (100 - mean) / tiny_baseline[first->corruption->index];
    sums->n++;
}

static void
add_corruption_means(struct eval_metrics *m, const struct corruption_sums *sums,
                     const char *dataset)
{
    const double npa = sums->accuracy / sums->n;
    const bool tiny = strcmp(dataset, "tiny-imagenet") == 0;

    add(m, "corruptions", sums->n);
    add(m, "NPA", npa);
    add(m, "mCE/plain", 100 - npa);
    add(m, "mCE", tiny ? sums->normalised / sums->n : 100 - npa);
}

static bool
is_done(const struct eval_part *part)
{
    return part->done == part->n;
}

void
eval_metrics_of_parts(struct eval_metrics *m, const struct eval_parts *p,
                      const struct dataset *test, const char *dataset)
{
    struct corruption_sums sums = {0};

    for (size_t i = 0; i < p->n; i++) {
        const struct eval_part *part = &p->items[i];
        if (!is_done(part))
            continue;
        if (part->kind == EVAL_CLEAN) {
            add(m, "CA", eval_part_percent(part));
            add_classes(m, part, test, "CA");
            continue;
        }
        add(m, arena_strdup(&m->names, part->name), eval_part_percent(part));
        if (part->kind == EVAL_CORRUPTED && part->severity == CORRUPTION_SEVERITIES)
            add_corruption(m, part - CORRUPTION_SEVERITIES + 1, &sums);
        if (strcmp(part->name, "attack/pgd-7/1") == 0) { /* the papers' AdvA */
            add(m, "AdvA", eval_part_percent(part));
            add_classes(m, part, test, "AdvA");
        }
    }
    if (sums.n > 0)
        add_corruption_means(m, &sums, dataset);
}

void
eval_metrics_of_corruptions(struct eval_metrics *m, bool published)
{
    add(m, "corruptions_published", published);
}

/* ---- the network ----------------------------------------------------------------- */

/* What a client sends shares of in private inference. What enters two layers, a block
 * and its shortcut, is sent once. */
static int64_t
linear_inputs(const struct graph *g)
{
    bool *sent = xcalloc(g->n, sizeof *sent);
    int64_t sum = 0;

    for (size_t i = 0; i < g->n; i++) {
        const struct graph_node *node = &g->nodes[i];
        if ((node->op != &op_conv && node->op != &op_linear) || sent[node->in[0]])
            continue;
        const struct graph_shape s = graph_shape(g, node->in[0]);
        sent[node->in[0]] = true;
        sum += s.c * s.h * s.w;
    }
    free(sent);
    return sum;
}

void
eval_metrics_of_network(struct eval_metrics *m, struct net *n)
{
    const struct graph *g = net_graph(n);
    const int64_t relus = network_relus(n);

    for (int layer = 0; layer < graph_n_masks(g); layer++)
        add(m, arena_printf(&m->names, "relus/layer/%d", layer),
            (double)network_layer_relus(n, layer));
    add(m, "relus", (double)relus);
    add(m, "relus_total", (double)graph_relus(g));
    if (relus > 0)
        add(m, "relu_saving", (double)graph_relus(g) / (double)relus);
    add(m, "macs", (double)graph_macs(g));
    add(m, "linear_inputs", (double)linear_inputs(g));
}

void
eval_metrics_of_selection(struct eval_metrics *m, const struct model_info *info)
{
    const bool on_test = strcmp(info->selected_on, "test") == 0;

    add(m, "selected_on_test", on_test);
    if (info->val_accuracy >= 0)
        add(m, on_test ? "test/CA" : "val/CA", info->val_accuracy);
}
