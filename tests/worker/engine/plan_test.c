/* plan_test.c - buffers that live at one time never overlap, and memory is shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/engine/graph_node.h"
#include "worker/engine/plan.h"
#include "worker/engine/rng.h"

static void
assert_apart(const struct plan_buffer *a, const struct plan_buffer *b)
{
    const int meet = a->from <= b->to && b->from <= a->to;

    if (a->size > 0 && b->size > 0 && meet)
        assert_true(a->offset + a->size <= b->offset
                    || b->offset + b->size <= a->offset);
}

static void
random_lives_never_overlap(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 50; round++) {
        struct rng r = rng_stream(1, RNG_BENCH, round, 0);
        struct plan_buffer all[40], *pointers[40];
        int64_t total;

        for (int i = 0; i < 40; i++) {
            const int from = (int)rng_below(&r, 60);
            all[i] = (struct plan_buffer){.size = 1 + rng_below(&r, 500),
                                          .from = from,
                                          .to = from + (int)rng_below(&r, 20)};
            pointers[i] = &all[i];
        }
        total = plan_place(pointers, 40);
        for (int i = 0; i < 40; i++) {
            assert_true(all[i].offset % 16 == 0);
            assert_true(all[i].offset + all[i].size <= total);
            for (int k = 0; k < i; k++)
                assert_apart(&all[i], &all[k]);
        }
    }
}

static void
a_chain_needs_the_memory_of_two(void **state)
{
    struct plan_buffer all[10], *pointers[10];
    (void)state;

    for (int i = 0; i < 10; i++) {
        all[i] = (struct plan_buffer){.size = 64, .from = i, .to = i + 1};
        pointers[i] = &all[i];
    }
    assert_int_equal(plan_place(pointers, 10), 128);
}

/* conv-norm chain of depth n on a (4,8,8) image */
static struct graph *
chain(int n, enum graph_act act)
{
    struct graph *g = graph_new(4, 8, 8);
    int x = graph_input(g);

    for (int i = 0; i < n; i++) {
        x = graph_conv(g, x, &(struct graph_conv){"c", 4, 3, 1, 1});
        x = graph_norm(g, x, &(struct graph_norm){"n", 1, -1, act});
    }
    graph_linear(g, graph_pool(g, x), "fc", 3);
    return g;
}

static void
gradients_of_a_deep_net_need_no_more_than_of_a_shallow_one(void **state)
{
    struct graph *shallow = chain(3, GRAPH_LINEAR), *deep = chain(30, GRAPH_LINEAR);
    struct plan a = plan_make(shallow, 8, 0, PLAN_TRAINING),
                b = plan_make(deep, 8, 0, PLAN_TRAINING);
    (void)state;

    assert_int_equal(a.transient, b.transient);
    assert_true(b.kept > 8 * a.kept);
    plan_release(&a);
    plan_release(&b);
    graph_free(shallow);
    graph_free(deep);
}

static void
values_share_memory_without_gradients_but_masked_ones_may_be_kept(void **state)
{
    struct graph *linear = chain(5, GRAPH_LINEAR), *relu = chain(5, GRAPH_RELU);
    struct plan a = plan_make(linear, 8, 0, PLAN_EVALUATION),
                b = plan_make(relu, 8, 0, PLAN_EVALUATION);
    struct plan c = plan_make(relu, 8, 0, PLAN_LOGITS);
    (void)state;

    assert_int_equal(a.transient, 2 * 8 * 64); /* two maps of one block */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(a.values[2 + 2 * i].kept, 0);
        assert_int_equal(b.values[2 + 2 * i].kept, 1);
    }
    assert_int_equal(b.kept - a.kept, 5 * 8 * 64);
    assert_int_equal(b.grads[1].size, 0);
    assert_int_equal(c.kept, a.kept);
    assert_int_equal(c.transient, a.transient);
    plan_release(&c);
    plan_release(&a);
    plan_release(&b);
    graph_free(linear);
    graph_free(relu);
}

static void
what_the_tail_reads_is_not_apart(void **state)
{
    enum { HEAD = 5 }; /* input, conv, norm, conv, norm | conv, norm, ... */
    struct graph *g = chain(4, GRAPH_LINEAR);
    struct plan light = plan_make(g, 8, HEAD, PLAN_EVALUATION),
                p = plan_make(g, 8, HEAD, PLAN_TRAINING);
    (void)state;

    assert_true(light.values[0].apart && light.values[2].apart);
    assert_false(light.values[4].apart); /* the first conv of the tail reads it */
    assert_false(light.values[6].apart);
    assert_int_equal(light.values[3].size, 0); /* done with its norm */
    assert_int_equal(light.arena, 4 * 64 + 8 * 64);
    assert_int_equal(light.transient, 2 * 8 * 64);
    assert_false(p.values[2].apart); /* kept */
    assert_true(p.grads[3].apart);
    assert_false(p.grads[4].apart); /* the tail writes it */
    assert_true(p.arena > 0 && p.arena <= p.transient);
    plan_release(&light);
    plan_release(&p);
    graph_free(g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives_never_overlap),
        cmocka_unit_test(a_chain_needs_the_memory_of_two),
        cmocka_unit_test(gradients_of_a_deep_net_need_no_more_than_of_a_shallow_one),
        cmocka_unit_test(
            values_share_memory_without_gradients_but_masked_ones_may_be_kept),
        cmocka_unit_test(what_the_tail_reads_is_not_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
