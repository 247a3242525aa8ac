#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "tests/worker/data/pictures.h"
#include "worker/data/augment/augmix.h"

enum { DRAWS = 20000, SIDE = 32, PIXELS = 3 * SIDE * SIDE, OPS = 9 };

static int
op_called(const char *name)
{
    for (int i = 0; i < augmix_op_count; i++)
        if (strcmp(augmix_ops[i].name, name) == 0)
            return i;
    fail_msg("no operation %s", name);
    return -1;
}

static struct augmix_plan
plan_of(int i, int64_t side)
{
    struct rng rng = rng_stream(3, RNG_AUGMIX, 1, (uint64_t)i);

    return augmix_draw(&rng, side);
}

static void
weights_are_dirichlet_and_the_share_is_uniform(void **state)
{
    double m = 0, m2 = 0, w[AUGMIX_WIDTH] = {0}, w2 = 0;

    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        const struct augmix_plan p = plan_of(i, SIDE);
        assert_true(p.m >= 0 && p.m <= 1);
        assert_true(fabsf(p.w[0] + p.w[1] + p.w[2] - 1) < 1e-6f);
        m += (double)p.m / DRAWS;
        m2 += (double)(p.m * p.m) / DRAWS;
        w2 += (double)(p.w[0] * p.w[0]) / DRAWS;
        for (int k = 0; k < AUGMIX_WIDTH; k++)
            w[k] += (double)p.w[k] / DRAWS;
    }
    assert_true(fabs(m - 0.5) < 0.01);
    assert_true(fabs(m2 - m * m - 1.0 / 12) < 0.003);
    for (int k = 0; k < AUGMIX_WIDTH; k++)
        assert_true(fabs(w[k] - 1.0 / 3) < 0.01);
    assert_true(fabs(w2 - w[0] * w[0] - 1.0 / 18) < 0.003); /* variance of Dirichlet */
}

static void
depths_and_operations_are_uniform(void **state)
{
    int depths[AUGMIX_DEPTH + 1] = {0}, ops[OPS] = {0}, steps = 0;

    (void)state;
    assert_int_equal(augmix_op_count, OPS);
    for (int i = 0; i < DRAWS; i++) {
        const struct augmix_plan p = plan_of(i, SIDE);
        for (int c = 0; c < AUGMIX_WIDTH; c++) {
            assert_in_range(p.depth[c], 1, AUGMIX_DEPTH);
            depths[p.depth[c]]++;
            for (int k = 0; k < p.depth[c]; k++, steps++)
                ops[p.steps[c][k].op]++;
        }
    }
    for (int d = 1; d <= AUGMIX_DEPTH; d++)
        assert_true(abs(depths[d] - DRAWS) < 700);
    for (int o = 0; o < OPS; o++)
        assert_true(fabs((double)ops[o] / steps - 1.0 / OPS) < 0.005);
}

/* What an operation's parameter is over many draws. */
struct range {
    double low, high;
    int negative, count, whole;
};

static struct range
range_of(const char *name, int64_t side)
{
    struct range r = {.low = 1e9, .high = -1e9};
    const int op = op_called(name);

    for (int i = 0; i < DRAWS; i++) {
        const struct augmix_plan p = plan_of(i, side);
        for (int c = 0; c < AUGMIX_WIDTH; c++)
            for (int k = 0; k < p.depth[c]; k++) {
                const double v = p.steps[c][k].value;
                if (p.steps[c][k].op != op)
                    continue;
                r.low = v < r.low ? v : r.low;
                r.high = v > r.high ? v : r.high;
                r.negative += v < 0;
                r.whole += v == floor(v);
                r.count++;
            }
    }
    return r;
}

static void
expect_range(const char *name, int64_t side, double low, double high)
{
    const struct range r = range_of(name, side);
    const double slack = r.whole == r.count ? 0 : 1e-3;

    if (r.low < low || r.high > high || r.low > low + slack || r.high < high - slack)
        fail_msg("%s for side %d: %g..%g, expected %g..%g", name, (int)side, r.low,
                 r.high, low, high);
    if (low < 0) /* translations of 0 pixels have no sign */
        assert_in_range(r.negative, r.count / 4, r.count * 55 / 100);
}

static void
parameters_cover_exactly_the_ranges_of_severity_three(void **state)
{
    (void)state;
    expect_range("posterize", SIDE, 3, 4);
    expect_range("rotate", SIDE, -8, 8);
    expect_range("solarize", SIDE, 256 - 76, 256 - 2);
    expect_range("shear_x", SIDE, -0.09, 0.09);
    expect_range("shear_y", SIDE, -0.09, 0.09);
    expect_range("translate_x", SIDE, -3, 3);
    expect_range("translate_y", SIDE, -3, 3);
    expect_range("translate_x", 64, -6, 6); /* the canvas is the image, not 32 */
}

static void
the_mixture_is_that_of_the_formula_and_is_not_rounded(void **state)
{
    uint8_t image[PIXELS], chain[AUGMIX_WIDTH][PIXELS], keep[PIXELS];
    uint8_t *scratch = xmalloc((size_t)augmix_scratch(SIDE));
    float out[PIXELS];
    int between = 0;

    (void)state;
    picture_draw(image, 0, 1, SIDE, SIDE);
    for (int i = 0; i < 50; i++) {
        const struct augmix_plan p = plan_of(i, SIDE);
        for (int c = 0; c < AUGMIX_WIDTH; c++) {
            memcpy(chain[c], image, PIXELS);
            for (int k = 0; k < p.depth[c]; k++) {
                memcpy(keep, chain[c], PIXELS);
                augmix_ops[p.steps[c][k].op].apply(chain[c], keep, SIDE, SIDE,
                                                   p.steps[c][k].value);
            }
        }
        augmix_apply(out, image, SIDE, &p, scratch);
        for (int q = 0; q < PIXELS; q++) {
            double mixed = 0;
            for (int c = 0; c < AUGMIX_WIDTH; c++)
                mixed += (double)p.w[c] * chain[c][q] / 255;
            mixed = (1 - (double)p.m) * image[q] / 255 + (double)p.m * mixed;
            assert_true(fabs((double)out[q] - mixed) < 1e-6);
            between += fabs(mixed * 255 - round(mixed * 255)) > 0.05;
        }
    }
    assert_true(between > 50 * PIXELS / 10);
    free(scratch);
}

static void
a_white_image_stays_within_one(void **state)
{
    uint8_t image[PIXELS];
    uint8_t *scratch = xmalloc((size_t)augmix_scratch(SIDE));
    float out[PIXELS];

    (void)state;
    memset(image, 255, sizeof image);
    for (int i = 0; i < 200; i++) {
        struct rng rng = rng_stream(9, RNG_AUGMIX, 1, (uint64_t)i);
        augmix(out, image, SIDE, &rng, scratch);
        for (int q = 0; q < PIXELS; q++)
            assert_true(out[q] >= 0 && out[q] <= 1);
    }
    free(scratch);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_dirichlet_and_the_share_is_uniform),
        cmocka_unit_test(depths_and_operations_are_uniform),
        cmocka_unit_test(parameters_cover_exactly_the_ranges_of_severity_three),
        cmocka_unit_test(the_mixture_is_that_of_the_formula_and_is_not_rounded),
        cmocka_unit_test(a_white_image_stays_within_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
