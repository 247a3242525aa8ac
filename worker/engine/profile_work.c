/* profile_work.c - how much a row of the profile computed and moved, from the graph: what
 * its numbers are divided by. It knows shapes, not kernels: a kernel that needs fewer
 * multiplications than the definition shows as one that is faster than the processor. */
#include "worker/engine/net.h"
#include "worker/engine/ops/op.h"
#include "worker/engine/profile.h"

static double
floats_of(const struct graph_node *node)
{
    return (double)(node->shape.c * node->shape.h * node->shape.w);
}

/* Passes over maps of one image, in floats: inputs and output once each; a batch norm
 * with batch statistics reads its input before, backward also the gradient. */
static double
traffic(const struct graph *g, const struct profile_row *row)
{
    const struct graph_node *node = row->tag.node;
    const bool statistics = node->op == &op_norm && row->tag.mode == NET_TRAIN;
    const double own = floats_of(node);
    double inputs = 0;

    for (int k = 0; k < node->n_in; k++)
        inputs += floats_of(&g->nodes[node->in[k]]);
    if (row->tag.pass == PROFILE_FORWARD || node->op != &op_norm)
        return inputs + own * (statistics ? 2 : 1);
    const double y = node->norm.act == GRAPH_RELU ? 1 : 0;
    return inputs + own * (statistics ? 2 * (2 + y) : 1 + y); /* dy and y, also x */
}

bool
profile_work(struct profile_work *out, const struct net *n,
             const struct profile_row *row)
{
    const struct graph *g = net_graph(n);
    const struct graph_node *node = row->tag.node;

    if (node < g->nodes || node >= g->nodes + g->n)
        return false;
    *out = (struct profile_work){.op = node->op->name,
                                 .layer = node->name != NULL ? node->name : ""};
    if (row->tag.pass == PROFILE_PREPARE)
        return true;
    if (node->op->macs != NULL)
        out->flops = 2.0 * (double)row->images
                     * (double)node->op->macs(node, &g->nodes[node->in[0]]);
    out->bytes = 4.0 * (double)row->images * traffic(g, row);
    return true;
}
