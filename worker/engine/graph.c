/* graph.c - building networks as lists of nodes, and counting what they hold.
 *
 * Invariant: nodes are in execution order, and every node's inputs are in the layout
 * that its op takes (a plain image is put into blocks by a node of its own when an op
 * other than a convolution reads it). It must not know batches, memory or backends. */
#include "worker/engine/graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/engine/graph_node.h"
#include "worker/engine/ops/op.h"

static const struct graph_node *
node_at(const struct graph *g, int node)
{
    assert(node >= 0 && (size_t)node < g->n);
    return &g->nodes[node];
}

static struct graph_node *
push(struct graph *g, const struct op *op, const char *name, struct graph_shape shape)
{
    assert(shape.c > 0 && shape.h > 0 && shape.w > 0);
    g->nodes = xgrow(g->nodes, &g->capacity, g->n + 1, sizeof(*g->nodes));
    struct graph_node *node = &g->nodes[g->n++];

    *node = (struct graph_node){.op = op, .shape = shape};
    if (name != NULL)
        node->name = xstrdup(name);
    return node;
}

static int
last(const struct graph *g)
{
    return (int)g->n - 1;
}

static void
connect(struct graph_node *node, int x)
{
    assert(node->n_in < NODE_MAX_INPUTS);
    node->in[node->n_in++] = x;
}

/* x itself, or the node that holds a plain x in blocks. */
static int
in_blocks(struct graph *g, int x)
{
    if (!node_at(g, x)->plain)
        return x;
    for (int i = x + 1; i <= last(g); i++)
        if (g->nodes[i].op == &op_block && g->nodes[i].in[0] == x)
            return i;
    connect(push(g, &op_block, NULL, node_at(g, x)->shape), x);
    return last(g);
}

static bool
same_shape(struct graph_shape a, struct graph_shape b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

struct graph *
graph_new(int64_t c, int64_t h, int64_t w)
{
    struct graph *g = xcalloc(1, sizeof(*g));

    push(g, &op_input, NULL, (struct graph_shape){c, h, w})->plain = true;
    return g;
}

void
graph_free(struct graph *g)
{
    if (g == NULL)
        return;
    for (size_t i = 0; i < g->n; i++) {
        free(g->nodes[i].name);
        if (g->nodes[i].op == &op_normalize) {
            free(g->nodes[i].normalize.mean);
            free(g->nodes[i].normalize.std);
        }
    }
    free(g->nodes);
    free(g->masks);
    free(g->groups);
    free(g);
}

static void *
copy_of(const void *data, size_t size)
{
    void *copy = xmalloc(size);

    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

struct graph *
graph_copy(const struct graph *g)
{
    struct graph *copy = copy_of(g, sizeof(*g));

    copy->nodes = copy_of(g->nodes, g->n * sizeof(*g->nodes));
    copy->masks = copy_of(g->masks, g->n_masks * sizeof(*g->masks));
    copy->groups = copy_of(g->groups, g->n_groups * sizeof(*g->groups));
    copy->capacity = g->n;
    copy->masks_capacity = g->n_masks;
    copy->groups_capacity = g->n_groups;
    for (size_t i = 0; i < g->n; i++) {
        struct graph_node *node = &copy->nodes[i];
        const size_t bytes = (size_t)node->shape.c * sizeof(float);

        if (node->name != NULL)
            node->name = xstrdup(node->name);
        if (node->op == &op_normalize) {
            node->normalize.mean = copy_of(node->normalize.mean, bytes);
            node->normalize.std = copy_of(node->normalize.std, bytes);
        }
    }
    return copy;
}

int
graph_input(struct graph *g)
{
    (void)g;
    return 0;
}

int
graph_normalize(struct graph *g, int x, const float *mean, const float *std)
{
    const struct graph_shape shape = node_at(g, x)->shape;
    const size_t bytes = (size_t)shape.c * sizeof(float);

    assert(node_at(g, x)->plain);
    struct graph_node *node = push(g, &op_normalize, NULL, shape);

    node->plain = true;
    node->normalize.mean = copy_of(mean, bytes);
    node->normalize.std = copy_of(std, bytes);
    connect(node, x);
    return last(g);
}

int
graph_conv(struct graph *g, int x, const struct graph_conv *conv)
{
    const struct graph_shape in = node_at(g, x)->shape;

    assert(conv->kernel > 0 && conv->stride > 0 && conv->pad >= 0);
    assert(in.h + 2 * conv->pad >= conv->kernel
           && in.w + 2 * conv->pad >= conv->kernel);
    const struct graph_shape out = {
        .c = conv->channels,
        .h = (in.h + 2 * conv->pad - conv->kernel) / conv->stride + 1,
        .w = (in.w + 2 * conv->pad - conv->kernel) / conv->stride + 1};
    struct graph_node *node = push(g, &op_conv, conv->name, out);

    node->conv.kernel = conv->kernel;
    node->conv.stride = conv->stride;
    node->conv.pad = conv->pad;
    connect(node, x);
    return last(g);
}

int
graph_norm(struct graph *g, int x, const struct graph_norm *norm)
{
    assert(norm->paths >= 1 && norm->paths <= GRAPH_MAX_PATHS);
    const int from = in_blocks(g, x);
    const int residual = norm->residual >= 0 ? in_blocks(g, norm->residual) : -1;
    const struct graph_shape shape = node_at(g, from)->shape;
    struct graph_node *node = push(g, &op_norm, norm->name, shape);

    node->norm.paths = norm->paths;
    node->norm.act = norm->act;
    connect(node, from);
    if (residual >= 0) {
        assert(same_shape(shape, node_at(g, residual)->shape));
        connect(node, residual);
    }
    if (norm->act == GRAPH_RELU) {
        g->masks = xgrow(g->masks, &g->masks_capacity, g->n_masks + 1, sizeof(int));
        g->masks[g->n_masks++] = last(g);
    }
    return last(g);
}

int
graph_add(struct graph *g, int x, int other)
{
    const int a = in_blocks(g, x), b = in_blocks(g, other);
    const struct graph_shape shape = node_at(g, a)->shape;

    assert(same_shape(shape, node_at(g, b)->shape));
    struct graph_node *node = push(g, &op_add, NULL, shape);

    connect(node, a);
    connect(node, b);
    return last(g);
}

int
graph_pool(struct graph *g, int x)
{
    const int from = in_blocks(g, x);
    const struct graph_shape shape = {node_at(g, from)->shape.c, 1, 1};

    connect(push(g, &op_pool, NULL, shape), from);
    return last(g);
}

int
graph_linear(struct graph *g, int x, const char *name, int64_t classes)
{
    const int from = in_blocks(g, x);

    assert(node_at(g, from)->shape.h == 1 && node_at(g, from)->shape.w == 1);
    struct graph_node *node =
        push(g, &op_linear, name, (struct graph_shape){classes, 1, 1});

    node->plain = true;
    connect(node, from);
    return last(g);
}

void
graph_group(struct graph *g, int x)
{
    const int node = in_blocks(g, x);

    g->groups = xgrow(g->groups, &g->groups_capacity, g->n_groups + 1, sizeof(int));
    g->groups[g->n_groups++] = node;
}

static bool
is_among(const int *nodes, size_t n, int node)
{
    for (size_t i = 0; i < n; i++)
        if (nodes[i] == node)
            return true;
    return false;
}

int
graph_only_reader(const struct graph *g, int node)
{
    int reader = -1, readers = 0;

    for (size_t i = 0; i < g->n; i++)
        for (int k = 0; k < g->nodes[i].n_in; k++)
            if (g->nodes[i].in[k] == node) {
                reader = (int)i;
                readers++;
            }
    return readers == 1 && !is_among(g->groups, g->n_groups, node) ? reader : -1;
}

int
graph_fused_conv(const struct graph *g, int node)
{
    const int x = node_at(g, node)->in[0];

    if (node_at(g, node)->op != &op_norm || node_at(g, x)->op != &op_conv)
        return -1;
    return graph_only_reader(g, x) == node ? x : -1;
}

/* Is the value asked for after, or during, a pass? */
static bool
is_wanted(const struct graph *g, int node, enum net_keep keep)
{
    const bool groups = keep == NET_KEEP_MAPS || keep == NET_KEEP_GROUPS;
    const bool masks = keep == NET_KEEP_MAPS || keep == NET_KEEP_WATCHED;

    return (groups && is_among(g->groups, g->n_groups, node))
           || (masks && is_among(g->masks, g->n_masks, node));
}

/* Can all that read this norm read terms? In evaluation a norm whose work a convolution
 * does adds a residual that is stored: only where that one, too, is done so. */
static bool
can_be_lazy(const struct graph *g, int node)
{
    const bool fused = graph_fused_conv(g, node) >= 0;
    int readers = 0;

    for (size_t i = 0; i < g->n; i++)
        for (int k = 0; k < g->nodes[i].n_in; k++) {
            const struct op *op = g->nodes[i].op;

            if (g->nodes[i].in[k] != node)
                continue;
            if (op != &op_conv && !(op == &op_norm && k == 1 && fused))
                return false;
            readers++;
        }
    return readers > 0;
}

int
graph_lazy_terms(const struct graph *g, int node, enum net_keep keep)
{
    const struct graph_node *at = node_at(g, node);

    if (at->op != &op_norm || is_wanted(g, node, keep) || !can_be_lazy(g, node))
        return 0;
    const int terms = at->n_in > 1 ? 1 + graph_lazy_terms(g, at->in[1], keep) : 1;
    return terms <= GRAPH_LAZY_TERMS ? terms : 0;
}

struct graph_shape
graph_shape(const struct graph *g, int node)
{
    return node_at(g, node)->shape;
}

int
graph_n_masks(const struct graph *g)
{
    return (int)g->n_masks;
}

struct graph_shape
graph_mask_shape(const struct graph *g, int mask)
{
    assert(mask >= 0 && (size_t)mask < g->n_masks);
    return g->nodes[g->masks[mask]].shape;
}

int64_t
graph_relus(const struct graph *g)
{
    int64_t sum = 0;

    for (size_t i = 0; i < g->n_masks; i++) {
        const struct graph_shape s = g->nodes[g->masks[i]].shape;
        sum += s.c * s.h * s.w;
    }
    return sum;
}

int
graph_n_groups(const struct graph *g)
{
    return (int)g->n_groups;
}

struct graph_shape
graph_group_shape(const struct graph *g, int group)
{
    assert(group >= 0 && (size_t)group < g->n_groups);
    return g->nodes[g->groups[group]].shape;
}

int64_t
graph_macs(const struct graph *g)
{
    int64_t sum = 0;

    for (size_t i = 0; i < g->n; i++) {
        const struct graph_node *node = &g->nodes[i];
        if (node->op->macs != NULL)
            sum += node->op->macs(node, &g->nodes[node->in[0]]);
    }
    return sum;
}

static void
add_trained(void *ctx, const struct op_param *p)
{
    int64_t *sum = ctx;
    int64_t size = 1;

    for (int i = 0; i < p->n_dims; i++)
        size *= p->dims[i];
    if (op_role_is_trained(p->role))
        *sum += size;
}

int64_t
graph_n_weights(const struct graph *g)
{
    int64_t sum = 0;

    for (size_t i = 0; i < g->n; i++)
        op_declare(&g->nodes[i], &g->nodes[g->nodes[i].in[0]], add_trained, &sum);
    return sum;
}
