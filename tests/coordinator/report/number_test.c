/* number_test.c - how numbers read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/report/number.h"

static void
expect(struct buf *b, const char *want)
{
    assert_string_equal(buf_str(b), want);
    buf_clear(b);
}

static void
counts_have_commas(void **state)
{
    const struct {
        int64_t v;
        const char *want;
    } rows[] = {{0, "0"},
                {999, "999"},
                {1000, "1,000"},
                {557056, "557,056"},
                {-1234567, "-1,234,567"},
                {INT64_MIN, "-9,223,372,036,854,775,808"}};
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        number_count(&b, rows[i].v);
        expect(&b, rows[i].want);
    }
    buf_release(&b);
}

static void
axes_have_three_digits_and_a_suffix(void **state)
{
    const struct {
        double v;
        const char *want;
    } rows[] = {{500, "500"},     {5000, "5k"},   {12345, "12.3k"},
                {557056, "557k"}, {999600, "1M"}, {1392640, "1.39M"},
                {2.2e9, "2.2G"},  {0.25, "0.25"}, {-50000, "-50k"}};
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        number_short(&b, rows[i].v);
        expect(&b, rows[i].want);
    }
    buf_release(&b);
}

static void
metrics_read_by_their_unit(void **state)
{
    struct buf b = {0};

    (void)state;
    number_metric(&b, 91.204, "%");
    expect(&b, "91.20");
    number_metric(&b, -0.0, "%");
    expect(&b, "0.00");
    number_metric(&b, 50000, "ReLUs");
    expect(&b, "50,000");
    number_metric(&b, 1234.56, "images/s");
    expect(&b, "1235");
    number_metric(&b, (double)NAN, "%");
    expect(&b, "–");
    buf_release(&b);
}

static void
parameters_read_as_people_write_them(void **state)
{
    const struct {
        const char *json, *want;
    } rows[] = {{"\"50000\"", "50k"},  {"\"12345\"", "12345"}, {"\"1500000\"", "1.5M"},
                {"\"10%\"", "10%"},    {"\"all\"", "all"},     {"4.0", "4"},
                {"0.05", "0.05"},      {"240", "240"},         {"true", "true"},
                {"\"ce+kl\"", "ce+kl"}};
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *v = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        number_param(&b, v);
        expect(&b, rows[i].want);
        json_decref(v);
    }
    number_param(&b, NULL);
    expect(&b, "–");
    buf_release(&b);
}

static void
exact_numbers_read_back_to_the_same_value(void **state)
{
    struct buf b = {0};

    (void)state;
    number_exact(&b, 50000);
    expect(&b, "50000");
    number_exact(&b, 0.1);
    expect(&b, "0.1");
    number_exact(&b, 1.0 / 3);
    expect(&b, "0.3333333333333333");
    number_exact(&b, (double)INFINITY);
    expect(&b, "");
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_commas),
        cmocka_unit_test(axes_have_three_digits_and_a_suffix),
        cmocka_unit_test(metrics_read_by_their_unit),
        cmocka_unit_test(parameters_read_as_people_write_them),
        cmocka_unit_test(exact_numbers_read_back_to_the_same_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
