/*
 * onnx.c - from a graph of the engine to a ModelProto; field numbers are those of
 * onnx.proto. A node of ours becomes up to four of ONNX; `value` names what each node
 * of ours gives, so that nodes which do nothing here (blocked layouts, identities) are
 * left out. Trains nothing: gradients and batch statistics have no place in the file.
 */
#include "worker/pipeline/onnx.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "worker/engine/graph_node.h"
#include "worker/engine/ops/op.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/protobuf.h"

/* Field numbers, by message. */
enum {
    MODEL_IR = 1,
    MODEL_PRODUCER = 2,
    MODEL_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    OPSET_VERSION = 2
};
enum {
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12
};
enum {
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5
};
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_F = 2,
    ATTRIBUTE_I = 3,
    ATTRIBUTE_INTS = 8,
    ATTRIBUTE_TYPE = 20,
    TYPE_FLOAT = 1,
    TYPE_INT = 2,
    TYPE_INTS = 7
};
enum {
    TENSOR_DIMS = 1,
    TENSOR_TYPE = 2,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
    DATA_FLOAT = 1,
    DATA_BOOL = 9
};
enum {
    VALUE_NAME = 1,
    VALUE_TYPE = 2,
    TYPE_TENSOR = 1,
    TENSOR_ELEM = 1,
    TENSOR_SHAPE = 2,
    SHAPE_DIM = 1,
    DIM_VALUE = 1,
    DIM_PARAM = 2
};

static const char input_name[] = "images", output_name[] = "logits";

struct writer {
    struct net *net;
    const struct graph *graph;
    int path;
    struct buf out;     /* the GraphProto */
    const char **value; /* of each node of the graph: the name of what it gives */
    int masks;          /* used so far */
    struct arena names;
};

/* ---- messages -------------------------------------------------------------------- */

static void
put_tensor(struct writer *w, const char *name, int type, const int64_t *dims,
           int n_dims, const void *data, size_t bytes)
{
    struct buf t = {0};

    for (int i = 0; i < n_dims; i++)
        pb_int(&t, TENSOR_DIMS, dims[i]);
    pb_int(&t, TENSOR_TYPE, type);
    pb_text(&t, TENSOR_NAME, name);
    pb_bytes(&t, TENSOR_RAW, data, bytes);
    pb_message(&w->out, GRAPH_INITIALIZER, &t);
}

static void
attribute_f(struct buf *node, const char *name, float value)
{
    struct buf a = {0};

    pb_text(&a, ATTRIBUTE_NAME, name);
    pb_float(&a, ATTRIBUTE_F, value);
    pb_int(&a, ATTRIBUTE_TYPE, TYPE_FLOAT);
    pb_message(node, NODE_ATTRIBUTE, &a);
}

static void
attribute_i(struct buf *node, const char *name, int64_t value)
{
    struct buf a = {0};

    pb_text(&a, ATTRIBUTE_NAME, name);
    pb_int(&a, ATTRIBUTE_I, value);
    pb_int(&a, ATTRIBUTE_TYPE, TYPE_INT);
    pb_message(node, NODE_ATTRIBUTE, &a);
}

/* n times the same number. */
static void
attribute_ints(struct buf *node, const char *name, int64_t value, int n)
{
    struct buf a = {0};

    pb_text(&a, ATTRIBUTE_NAME, name);
    for (int i = 0; i < n; i++)
        pb_int(&a, ATTRIBUTE_INTS, value);
    pb_int(&a, ATTRIBUTE_TYPE, TYPE_INTS);
    pb_message(node, NODE_ATTRIBUTE, &a);
}

/* A node with these inputs (NULL-terminated) and one output of the same name; the
 * attributes are appended by the caller before put_node. */
static struct buf
begin_node(const char *op, const char *const *inputs, const char *output)
{
    struct buf node = {0};

    for (; *inputs != NULL; inputs++)
        pb_text(&node, NODE_INPUT, *inputs);
    pb_text(&node, NODE_OUTPUT, output);
    pb_text(&node, NODE_NAME, output);
    pb_text(&node, NODE_OP, op);
    return node;
}

static void
put_node(struct writer *w, struct buf *node)
{
    pb_message(&w->out, GRAPH_NODE, node);
}

static const char *
simple(struct writer *w, const char *op, const char *const *inputs, const char *output)
{
    struct buf node = begin_node(op, inputs, output);

    put_node(w, &node);
    return output;
}

/* dims[0] < 0: the batch, any number. */
static void
put_value(struct writer *w, int field, const char *name, const int64_t *dims, int n)
{
    struct buf value = {0}, type = {0}, tensor = {0}, shape = {0};

    for (int i = 0; i < n; i++) {
        struct buf dim = {0};
        if (dims[i] < 0)
            pb_text(&dim, DIM_PARAM, "N");
        else
            pb_int(&dim, DIM_VALUE, dims[i]);
        pb_message(&shape, SHAPE_DIM, &dim);
    }
    pb_int(&tensor, TENSOR_ELEM, DATA_FLOAT);
    pb_message(&tensor, TENSOR_SHAPE, &shape);
    pb_message(&type, TYPE_TENSOR, &tensor);
    pb_text(&value, VALUE_NAME, name);
    pb_message(&value, VALUE_TYPE, &type);
    pb_message(&w->out, field, &value);
}

/* ---- nodes ----------------------------------------------------------------------- */

/* Puts the parameter `name` as an initializer; returns its name. */
static const char *
put_param(struct writer *w, const char *name)
{
    const struct net_param *p = net_find_param(w->net, name);

    assert(p != NULL);
    put_tensor(w, p->name, DATA_FLOAT, p->dims, p->n_dims, p->value,
               (size_t)p->size * sizeof(float));
    return p->name;
}

static const char *
param_of(struct writer *w, const struct graph_node *node, const char *what)
{
    return put_param(w, arena_printf(&w->names, "%s.%s", node->name, what));
}

static const char *
put_normalize(struct writer *w, const struct graph_node *node, const char *x)
{
    const int64_t c = node->shape.c, dims[] = {1, c, 1, 1};

    put_tensor(w, "normalize.mean", DATA_FLOAT, dims, 4, node->normalize.mean,
               (size_t)c * sizeof(float));
    put_tensor(w, "normalize.std", DATA_FLOAT, dims, 4, node->normalize.std,
               (size_t)c * sizeof(float));
    x = simple(w, "Sub", (const char *const[]){x, "normalize.mean", NULL}, "centred");
    return simple(w, "Div", (const char *const[]){x, "normalize.std", NULL},
                  "normalized");
}

static const char *
put_conv(struct writer *w, const struct graph_node *node, const char *x)
{
    const char *weight = param_of(w, node, "weight");
    struct buf out =
        begin_node("Conv", (const char *const[]){x, weight, NULL}, node->name);

    attribute_ints(&out, "kernel_shape", node->conv.kernel, 2);
    attribute_ints(&out, "strides", node->conv.stride, 2);
    attribute_ints(&out, "pads", node->conv.pad, 4);
    put_node(w, &out);
    return node->name;
}

/* out = relu(z) where the mask is 1, else z. */
static const char *
put_act(struct writer *w, const char *z)
{
    const int layer = w->masks++;
    const struct graph_shape s = graph_mask_shape(w->graph, layer);
    const int64_t size = s.c * s.h * s.w, dims[] = {1, s.c, s.h, s.w};
    const char *name = arena_printf(&w->names, "mask.%d", layer);
    const char *out = arena_printf(&w->names, "act.%d", layer);
    uint8_t *mask = xmalloc((size_t)size);
    int64_t ones = 0;

    net_get_mask(w->net, layer, mask);
    for (int64_t i = 0; i < size; i++)
        ones += mask[i];
    if (ones == 0) {
        out = z;
    } else if (ones == size) {
        simple(w, "Relu", (const char *const[]){z, NULL}, out);
    } else {
        const char *relu = arena_printf(&w->names, "relu.%d", layer);
        put_tensor(w, name, DATA_BOOL, dims, 4, mask, (size_t)size);
        simple(w, "Relu", (const char *const[]){z, NULL}, relu);
        simple(w, "Where", (const char *const[]){name, relu, z, NULL}, out);
    }
    free(mask);
    return out;
}

/* The batch norm of this path: `name.BN_a`, or `name` where there is but one. */
static const char *
norm_name(struct writer *w, const struct graph_node *node)
{
    static const char *const dual[] = {"BN_c", "BN_a"};
    static const char *const triple[] = {"BN_c", "BN_r", "BN_a"};

    if (node->norm.paths == 1)
        return node->name;
    return arena_printf(&w->names, "%s.%s", node->name,
                        node->norm.paths == 2 ? dual[w->path] : triple[w->path]);
}

static const char *
put_norm(struct writer *w, const struct graph_node *node, const char *x)
{
    static const char *const kinds[] = {"weight", "bias", "running_mean",
                                        "running_var"};
    const char *inputs[6] = {x};
    const char *name = norm_name(w, node);

    for (int i = 0; i < 4; i++)
        inputs[i + 1] = put_param(w, arena_printf(&w->names, "%s.%s", name, kinds[i]));
    struct buf out = begin_node("BatchNormalization", inputs, name);
    attribute_f(&out, "epsilon", 1e-5f);
    put_node(w, &out);
    if (node->n_in > 1)
        name =
            simple(w, "Add", (const char *const[]){name, w->value[node->in[1]], NULL},
                   arena_printf(&w->names, "%s.sum", node->name));
    return node->norm.act == GRAPH_RELU ? put_act(w, name) : name;
}

static const char *
put_linear(struct writer *w, const struct graph_node *node, const char *x)
{
    const char *flat = simple(w, "Flatten", (const char *const[]){x, NULL}, "features");
    const char *weight = param_of(w, node, "weight"), *bias = param_of(w, node, "bias");
    struct buf out = begin_node("Gemm", (const char *const[]){flat, weight, bias, NULL},
                                output_name);

    attribute_i(&out, "transB", 1);
    put_node(w, &out);
    return output_name;
}

static const char *
put_graph_node(struct writer *w, size_t i)
{
    const struct graph_node *node = &w->graph->nodes[i];
    const char *x = node->n_in > 0 ? w->value[node->in[0]] : NULL;

    if (node->op == &op_input)
        return input_name;
    if (node->op == &op_normalize)
        return put_normalize(w, node, x);
    if (node->op == &op_conv)
        return put_conv(w, node, x);
    if (node->op == &op_norm)
        return put_norm(w, node, x);
    if (node->op == &op_linear)
        return put_linear(w, node, x);
    if (node->op == &op_pool)
        return simple(w, "GlobalAveragePool", (const char *const[]){x, NULL}, "pooled");
    if (node->op == &op_add)
        return simple(w, "Add", (const char *const[]){x, w->value[node->in[1]], NULL},
                      arena_printf(&w->names, "add.%zu", i));
    assert(node->op == &op_block); /* the engine's layout: the same values */
    return x;
}

/* ---- the file -------------------------------------------------------------------- */

static void
put_graph(struct writer *w, const char *name)
{
    const struct graph_node *first = &w->graph->nodes[0];
    const struct graph_node *last = &w->graph->nodes[w->graph->n - 1];
    const int64_t in[] = {-1, first->shape.c, first->shape.h, first->shape.w};
    const int64_t out[] = {-1, last->shape.c};

    for (size_t i = 0; i < w->graph->n; i++)
        w->value[i] = put_graph_node(w, i);
    pb_text(&w->out, GRAPH_NAME, name);
    put_value(w, GRAPH_INPUT, input_name, in, 4);
    put_value(w, GRAPH_OUTPUT, output_name, out, 2);
}

int
onnx_save(struct net *n, int path, const char *name, const char *file, struct err *err)
{
    struct writer w = {.net = n, .graph = net_graph(n), .path = path};
    struct buf model = {0}, opset = {0};

    w.value = xcalloc(w.graph->n, sizeof *w.value);
    put_graph(&w, name);
    pb_int(&model, MODEL_IR, ONNX_IR_VERSION);
    pb_text(&model, MODEL_PRODUCER, "relusweep");
    pb_text(&model, MODEL_VERSION, RELUSWEEP_VERSION);
    pb_int(&opset, OPSET_VERSION, ONNX_OPSET);
    pb_message(&model, MODEL_OPSET, &opset);
    pb_message(&model, MODEL_GRAPH, &w.out);
    const int rc = file_write(file, model.data, model.len, err);
    buf_release(&model);
    free(w.value);
    arena_release(&w.names);
    return rc;
}
