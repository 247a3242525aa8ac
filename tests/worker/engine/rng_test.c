/* rng_test.c - Philox against its published vectors; distributions by their moments. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/near.h"
#include "worker/engine/rng.h"

/* Known answers of the Random123 distribution for philox4x32-10. */
static void
philox_gives_the_published_numbers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } rows[] = {
        {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t out[4];
        rng_philox(out, rows[i].counter, rows[i].key);
        assert_memory_equal(out, rows[i].want, sizeof(out));
    }
}

static void
a_stream_is_the_same_each_time(void **state)
{
    struct rng a = rng_stream(7, RNG_CROP, 3, 1ull << 40);
    struct rng b = rng_stream(7, RNG_CROP, 3, 1ull << 40);
    (void)state;

    for (int i = 0; i < 100; i++)
        assert_int_equal(rng_u32(&a), rng_u32(&b));
}

static void
every_part_of_the_name_gives_another_stream(void **state)
{
    struct rng streams[] = {
        rng_stream(7, RNG_CROP, 3, 5),
        rng_stream(8, RNG_CROP, 3, 5),
        rng_stream(7 + (1ull << 40), RNG_CROP, 3, 5),
        rng_stream(7, RNG_SYNTH, 3, 5),
        rng_stream(7, RNG_CROP, 4, 5),
        rng_stream(7, RNG_CROP, 3, 6),
        rng_stream(7, RNG_CROP, 3, 5 + (1ull << 40)),
    };
    uint32_t first[sizeof(streams) / sizeof(streams[0])];
    (void)state;

    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        first[i] = rng_u32(&streams[i]);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(first[i], first[k]);
    }
}

static void
uniform_is_in_range_with_the_right_moments(void **state)
{
    struct rng r = rng_stream(1, RNG_BENCH, 0, 0);
    const int n = 100000;
    double sum = 0.0, squares = 0.0;
    (void)state;

    for (int i = 0; i < n; i++) {
        const double u = (double)rng_uniform(&r);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
        squares += u * u;
    }
    assert_true(fabs(sum / n - 0.5) < 0.005);
    assert_true(fabs(squares / n - 1.0 / 3.0) < 0.005);
}

static void
below_hits_every_number_equally(void **state)
{
    struct rng r = rng_stream(1, RNG_BENCH, 1, 0);
    int count[7] = {0};
    (void)state;

    for (int i = 0; i < 70000; i++)
        count[rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_true(abs(count[i] - 10000) < 500);
    assert_int_equal(rng_below(&r, 1), 0);
}

static void
normal_has_mean_0_variance_1_and_no_skew(void **state)
{
    struct rng r = rng_stream(1, RNG_BENCH, 2, 0);
    const int n = 100000;
    double m[5] = {0};
    (void)state;

    for (int i = 0; i < n; i++) {
        const double z = rng_normal(&r);
        for (int k = 1; k < 5; k++)
            m[k] += pow(z, k) / n;
    }
    assert_true(fabs(m[1]) < 0.01 && fabs(m[2] - 1.0) < 0.02);
    assert_true(fabs(m[3]) < 0.05 && fabs(m[4] - 3.0) < 0.1);
}

static void
gamma_has_mean_and_variance_equal_to_its_shape(void **state)
{
    const double shapes[] = {0.3, 1.0, 4.5};
    (void)state;

    for (uint32_t s = 0; s < 3; s++) {
        struct rng r = rng_stream(1, RNG_BENCH, 3, s);
        const int n = 50000;
        double mean = 0.0, squares = 0.0;

        for (int i = 0; i < n; i++) {
            const double g = rng_gamma(&r, shapes[s]);
            assert_true(g > 0.0);
            mean += g / n;
            squares += g * g / n;
        }
        assert_near_number(mean, shapes[s], 0.03);
        assert_near_number(squares - mean * mean, shapes[s], 0.06);
    }
}

static void
shuffle_keeps_every_number_once(void **state)
{
    struct rng r = rng_stream(1, RNG_SHUFFLE, 0, 0);
    int64_t order[1000];
    int seen[1000] = {0}, fixed = 0;
    (void)state;

    for (int64_t i = 0; i < 1000; i++)
        order[i] = i;
    rng_shuffle(&r, order, 1000);
    for (int64_t i = 0; i < 1000; i++) {
        seen[order[i]]++;
        fixed += order[i] == i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(seen[i], 1);
    assert_true(fixed < 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_numbers),
        cmocka_unit_test(a_stream_is_the_same_each_time),
        cmocka_unit_test(every_part_of_the_name_gives_another_stream),
        cmocka_unit_test(uniform_is_in_range_with_the_right_moments),
        cmocka_unit_test(below_hits_every_number_equally),
        cmocka_unit_test(normal_has_mean_0_variance_1_and_no_skew),
        cmocka_unit_test(gamma_has_mean_and_variance_equal_to_its_shape),
        cmocka_unit_test(shuffle_keeps_every_number_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
