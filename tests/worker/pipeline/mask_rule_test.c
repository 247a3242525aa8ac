/* mask_rule_test.c - counts, ties and patterns of masks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/pipeline/mask_rule.h"

static int64_t
ones(const uint8_t *mask, int64_t n)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += mask[i];
    return sum;
}

static void
the_largest_scores_are_kept_and_ties_go_to_the_lowest_places(void **state)
{
    const float score[] = {1, 3, 2, 3, 2, 0, 2};
    const uint8_t expected[] = {0, 1, 1, 1, 0, 0, 0};
    uint8_t mask[7];

    (void)state;
    mask_rule_top(mask, score, 7, 3, false);
    assert_memory_equal(mask, expected, 7);
}

static void
exactly_k_are_kept_even_where_all_scores_are_equal(void **state)
{
    const float score[100] = {0};
    uint8_t mask[100];

    (void)state;
    for (int64_t k = 1; k <= 100; k++) {
        mask_rule_top(mask, score, 100, k, false);
        assert_int_equal(ones(mask, 100), k);
        assert_int_equal(ones(mask, k), k);
    }
}

static void
the_released_rule_keeps_one_less_and_fewer_with_ties(void **state)
{
    const float distinct[] = {5, 4, 3, 2, 1}, tied[] = {5, 3, 3, 3, 1};
    uint8_t mask[5];

    (void)state;
    mask_rule_top(mask, distinct, 5, 3, true);
    assert_int_equal(ones(mask, 5), 2);
    mask_rule_top(mask, tied, 5, 3, true);
    assert_int_equal(ones(mask, 5), 1);
}

static void
the_first_pattern_is_the_same_for_all_channels_and_has_about_k_ones(void **state)
{
    const struct graph_shape shape = {.c = 8, .h = 32, .w = 32};
    struct rng rng = rng_stream(1, RNG_MASK, 0, 3);
    uint8_t mask[8 * 32 * 32];

    (void)state;
    mask_rule_pattern(mask, shape, 2048, &rng);
    for (int c = 1; c < 8; c++)
        assert_memory_equal(mask, mask + c * 1024, 1024);
    assert_in_range(ones(mask, 1024), 256 - 70, 256 + 70); /* 5 standard deviations */
}

static void
the_random_mask_has_exactly_k_ones_all_over_the_place(void **state)
{
    struct rng rng = rng_stream(1, RNG_MASK, 0, 3);
    uint8_t mask[1000];

    (void)state;
    mask_rule_random(mask, 1000, 400, &rng);
    assert_int_equal(ones(mask, 1000), 400);
    assert_in_range(ones(mask, 500), 150, 250);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_scores_are_kept_and_ties_go_to_the_lowest_places),
        cmocka_unit_test(exactly_k_are_kept_even_where_all_scores_are_equal),
        cmocka_unit_test(the_released_rule_keeps_one_less_and_fewer_with_ties),
        cmocka_unit_test(
            the_first_pattern_is_the_same_for_all_channels_and_has_about_k_ones),
        cmocka_unit_test(the_random_mask_has_exactly_k_ones_all_over_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
