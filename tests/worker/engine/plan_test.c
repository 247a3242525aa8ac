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

static struct plan
plan_of(const struct graph *g, int head, bool gradients, enum net_keep keep)
{
    return plan_make(
        g, &(struct plan_config){
               .block = 8, .head = head, .gradients = gradients, .keep = keep});
}

static void
gradients_of_a_deep_net_need_no_more_than_of_a_shallow_one(void **state)
{
    struct graph *shallow = chain(3, GRAPH_LINEAR), *deep = chain(30, GRAPH_LINEAR);
    struct plan a = plan_of(shallow, 0, true, NET_KEEP_MAPS),
                b = plan_of(deep, 0, true, NET_KEEP_MAPS);
    (void)state;

    assert_int_equal(a.transient - a.for_backward, b.transient - b.for_backward);
    assert_int_equal(a.kept, b.kept);
    assert_true(b.for_backward > 7 * a.for_backward);
    plan_release(&a);
    plan_release(&b);
    graph_free(shallow);
    graph_free(deep);
}

static void
values_share_memory_without_gradients_but_masked_ones_may_be_kept(void **state)
{
    struct graph *linear = chain(5, GRAPH_LINEAR), *relu = chain(5, GRAPH_RELU);
    struct plan a = plan_of(linear, 0, false, NET_KEEP_MAPS),
                b = plan_of(relu, 0, false, NET_KEEP_MAPS);
    struct plan c = plan_of(relu, 0, false, NET_KEEP_LOGITS);
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

/* The gradient of a convolution's value takes the place of that value. */
static void
a_norm_between_convolutions_has_no_memory_of_its_own_in_training(void **state)
{
    struct graph *g = chain(4, GRAPH_RELU);
    struct plan maps = plan_of(g, 0, true, NET_KEEP_MAPS),
                p = plan_of(g, 0, true, NET_KEEP_LOGITS);
    (void)state;

    for (int conv = 1; conv < 7; conv += 2) {
        assert_ptr_equal(p.values[conv + 1].host, &p.values[conv]);
        assert_int_equal(p.values[conv + 1].offset, p.values[conv].offset);
        assert_null(maps.values[conv + 1].host);
        assert_ptr_equal(p.grads[conv].host, &p.values[conv]);
        assert_int_equal(p.grads[conv].offset, p.values[conv].offset);
        assert_int_equal(p.values[conv].to, p.grads[conv].to);
    }
    assert_null(p.values[8].host); /* the pool reads it */
    assert_int_equal(maps.kept - p.kept, 4 * 8 * 64);
    assert_int_equal(p.for_backward - maps.for_backward, 8 * 64);
    plan_release(&maps);
    plan_release(&p);
    graph_free(g);
}

/* Norms that are added to each other: the eighth in a row is stored. */
static void
a_sum_of_norms_has_seven_terms_at_most(void **state)
{
    struct graph *g = graph_new(4, 8, 8);
    int x = graph_input(g), residual = -1, norms[10];
    (void)state;

    for (int i = 0; i < 10; i++) {
        x = graph_conv(g, x, &(struct graph_conv){"c", 4, 3, 1, 1});
        x = residual =
            graph_norm(g, x, &(struct graph_norm){"n", 1, residual, GRAPH_RELU});
        norms[i] = x;
    }
    graph_linear(g, graph_pool(g, x), "fc", 3);
    const int want[] = {1, 2, 3, 4, 5, 6, 7, 0, 1, 0}; /* the last is read by the pool */
    for (int i = 0; i < 10; i++)
        assert_int_equal(graph_lazy_terms(g, norms[i], NET_KEEP_LOGITS), want[i]);
    graph_free(g);
}

/* Of the chain's four convolutions the last one alone has scratch, of which there is
 * enough when it runs: a value that the backward pass is done with. */
static void
scratch_shares_memory_with_gradients(void **state)
{
    int64_t scratch[12] = {[7] = 8 * 64};
    struct graph *g = chain(4, GRAPH_RELU);
    const struct plan_config config = {
        .block = 8, .gradients = true, .keep = NET_KEEP_LOGITS, .scratch = scratch};
    struct plan p = plan_make(g, &config), none = plan_of(g, 0, true, NET_KEEP_LOGITS);
    const struct plan_buffer *backward = &p.scratch[PLAN_BACKWARD][7];
    (void)state;

    assert_int_equal(backward->size, 8 * 64);
    for (int i = 0; i < 9; i++) {
        if (p.grads[i].host == NULL && !p.grads[i].kept)
            assert_apart(backward, &p.grads[i]);
        if (p.values[i].host == NULL)
            assert_apart(backward, &p.values[i]);
    }
    assert_true(p.transient - none.transient <= 8 * 64);
    plan_release(&none);
    plan_release(&p);
    graph_free(g);
}

/* Evaluation leaves what it is made of, when the backward pass begins, to its norm: no
 * value that this pass reads may lie where its convolutions work again. */
static void
scratch_of_the_second_time_is_apart_from_all_values(void **state)
{
    int64_t scratch[12] = {[1] = 8 * 64, [3] = 3 * 8 * 64};
    struct graph *g = chain(4, GRAPH_RELU);
    const struct plan_config config = {
        .block = 8, .gradients = true, .keep = NET_KEEP_LOGITS, .scratch = scratch};
    struct plan p = plan_make(g, &config);
    (void)state;

    assert_int_equal(p.again->size, 3 * 8 * 64);
    for (int i = 1; i < 9; i++) {
        assert_true(p.values[i].host != NULL || p.values[i].to >= (int)g->n);
        assert_apart(p.again, &p.values[i]);
    }
    plan_release(&p);
    graph_free(g);
}

static void
what_the_tail_reads_is_not_apart(void **state)
{
    enum { HEAD = 5 }; /* input, conv, norm, conv, norm | conv, norm, ... */
    struct graph *g = chain(4, GRAPH_LINEAR);
    struct plan light = plan_of(g, HEAD, false, NET_KEEP_MAPS),
                p = plan_of(g, HEAD, true, NET_KEEP_MAPS);
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
    assert_true(p.arena > 0);
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
        cmocka_unit_test(
            a_norm_between_convolutions_has_no_memory_of_its_own_in_training),
        cmocka_unit_test(a_sum_of_norms_has_seven_terms_at_most),
        cmocka_unit_test(scratch_shares_memory_with_gradients),
        cmocka_unit_test(scratch_of_the_second_time_is_apart_from_all_values),
        cmocka_unit_test(what_the_tail_reads_is_not_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
