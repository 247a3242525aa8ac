/* graph_test.c - shapes and counts of a CIFAR ResNet18 (He et al. 2016), whose numbers
 * are known, and the layout rule for plain images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "worker/engine/graph.h"
#include "worker/engine/graph_node.h"
#include "worker/engine/ops/op.h"

static int
norm(struct graph *g, int x, const char *name, int paths, int residual,
     enum graph_act act)
{
    return graph_norm(g, x, &(struct graph_norm){name, paths, residual, act});
}

static int
block(struct graph *g, int x, int64_t width, int64_t stride, int paths)
{
    int y = graph_conv(g, x, &(struct graph_conv){"c1", width, 3, stride, 1});
    int shortcut = x;

    y = norm(g, y, "n1", paths, -1, GRAPH_RELU);
    y = graph_conv(g, y, &(struct graph_conv){"c2", width, 3, 1, 1});
    if (stride != 1 || graph_shape(g, x).c != width) {
        shortcut = graph_conv(g, x, &(struct graph_conv){"cs", width, 1, stride, 0});
        shortcut = norm(g, shortcut, "ns", paths, -1, GRAPH_LINEAR);
    }
    return norm(g, y, "n2", paths, shortcut, GRAPH_RELU);
}

static struct graph *
resnet18(int64_t side, int64_t classes, int paths)
{
    struct graph *g = graph_new(3, side, side);
    int x = graph_conv(g, graph_input(g), &(struct graph_conv){"c", 64, 3, 1, 1});

    x = norm(g, x, "n", paths, -1, GRAPH_RELU);
    for (int i = 0; i < 8; i++) {
        x = block(g, x, 64 << i / 2, i >= 2 && i % 2 == 0 ? 2 : 1, paths);
        if (i % 2 == 1)
            graph_group(g, x);
    }
    graph_linear(g, graph_pool(g, x), "linear", classes);
    return g;
}

static void
resnet18_has_its_published_counts(void **state)
{
    struct graph *g = resnet18(32, 100, 1), *dual = resnet18(32, 100, 2);
    struct graph *tiny = resnet18(64, 200, 1);
    (void)state;

    assert_int_equal(graph_n_masks(g), 17);
    assert_int_equal(graph_relus(g), 557056);
    assert_int_equal(graph_relus(tiny), 2228224);
    assert_int_equal(graph_macs(g), 555468800);
    assert_int_equal(graph_macs(tiny), 2221772800);
    assert_int_equal(graph_n_weights(g), 11220132);
    assert_int_equal(graph_n_weights(tiny), 11271432);
    assert_int_equal(graph_n_weights(dual), 11220132 + 9600);
    assert_int_equal(graph_n_groups(g), 4);
    assert_int_equal(graph_mask_shape(g, 16).c, 512);
    assert_int_equal(graph_mask_shape(g, 16).h, 4);
    graph_free(g);
    graph_free(dual);
    graph_free(tiny);
}

static void
odd_sizes_and_strides_follow_the_formula(void **state)
{
    struct graph *g = graph_new(3, 9, 7);
    const int x = graph_conv(g, 0, &(struct graph_conv){"c", 5, 3, 2, 1});
    const int y = graph_conv(g, x, &(struct graph_conv){"d", 2, 1, 3, 0});
    (void)state;

    assert_int_equal(graph_shape(g, x).h, 5);
    assert_int_equal(graph_shape(g, x).w, 4);
    assert_int_equal(graph_shape(g, y).h, 2);
    assert_int_equal(graph_shape(g, y).w, 2);
    graph_free(g);
}

static void
a_plain_image_is_put_into_blocks_once(void **state)
{
    struct graph *g = graph_new(3, 8, 8);
    const float zero[3] = {0}, one[3] = {1, 1, 1};
    const int x = graph_normalize(g, graph_input(g), zero, one);
    const int a = norm(g, x, "a", 1, -1, GRAPH_RELU);
    const int b = graph_add(g, x, a);
    (void)state;

    assert_true(g->nodes[x].plain);
    assert_false(g->nodes[a].plain);
    assert_ptr_equal(g->nodes[g->nodes[a].in[0]].op, &op_block);
    assert_int_equal(g->nodes[b].in[0], g->nodes[a].in[0]);
    graph_free(g);
}

static void
a_norm_is_done_by_the_convolution_that_nothing_else_reads(void **state)
{
    const struct graph_conv conv = {"c", 8, 3, 1, 1};
    struct graph *g = graph_new(3, 8, 8);
    const int a = graph_conv(g, graph_input(g), &conv);
    const int first = norm(g, a, "a", 1, -1, GRAPH_RELU);
    const int second = norm(g, first, "b", 1, -1, GRAPH_LINEAR);
    const int b = graph_conv(g, second, &conv), c = graph_conv(g, b, &conv);
    const int third = norm(g, b, "c", 1, -1, GRAPH_LINEAR);
    const int fourth = norm(g, c, "d", 1, third, GRAPH_RELU);
    const int d = graph_conv(g, fourth, &conv);
    const int fifth = norm(g, d, "e", 1, -1, GRAPH_RELU);
    (void)state;

    graph_group(g, d);
    assert_int_equal(graph_fused_conv(g, first), a);
    assert_int_equal(graph_fused_conv(g, second), -1); /* follows a norm */
    assert_int_equal(graph_fused_conv(g, third), -1);  /* c reads b too */
    assert_int_equal(graph_fused_conv(g, fourth), c);
    assert_int_equal(graph_fused_conv(g, fifth), -1); /* d is an output */
    assert_int_equal(graph_fused_conv(g, a), -1);
    graph_free(g);
}

static void
a_copy_stands_alone(void **state)
{
    struct graph *g = resnet18(32, 10, 2), *copy = graph_copy(g);
    const int64_t weights = graph_n_weights(g), macs = graph_macs(g);
    (void)state;

    graph_free(g);
    assert_int_equal(graph_n_weights(copy), weights);
    assert_int_equal(graph_macs(copy), macs);
    assert_int_equal(graph_n_masks(copy), 17);
    graph_free(copy);
    graph_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet18_has_its_published_counts),
        cmocka_unit_test(odd_sizes_and_strides_follow_the_formula),
        cmocka_unit_test(a_plain_image_is_put_into_blocks_once),
        cmocka_unit_test(a_norm_is_done_by_the_convolution_that_nothing_else_reads),
        cmocka_unit_test(a_copy_stands_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
