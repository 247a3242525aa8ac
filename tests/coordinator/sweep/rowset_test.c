/* Rows by number: equal ones are found, whatever their hashes. */
#include "coordinator/sweep/rowset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROWS = 5000, VALUES = 700 };

struct wanted {
    const uint32_t *values;
    uint32_t value;
};

static bool
same(const void *ctx, uint32_t row)
{
    const struct wanted *w = ctx;

    return w->values[row] == w->value;
}

/* Adds ROWS rows of VALUES different values; each must be known by the first of them. */
static void
add_all(uint64_t (*hash)(uint32_t value))
{
    static uint32_t values[ROWS];
    struct rowset set = {0};

    for (uint32_t i = 0; i < ROWS; i++) {
        values[i] = i * 31 % VALUES;
        const struct wanted w = {values, values[i]};
        const uint32_t row = rowset_add(&set, hash(values[i]), i, same, &w);
        assert_int_equal(row, i < VALUES ? i : i % VALUES);
    }
    assert_int_equal(set.n, VALUES);
    rowset_release(&set);
}

static uint64_t
good_hash(uint32_t value)
{
    return rowset_hash(ROWSET_HASH, value);
}

static uint64_t
one_hash(uint32_t value)
{
    (void)value;
    return 7;
}

static void
equal_rows_have_the_number_of_the_first(void **state)
{
    (void)state;
    add_all(good_hash);
}

static void
rows_that_hash_alike_are_told_apart(void **state)
{
    (void)state;
    add_all(one_hash);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_rows_have_the_number_of_the_first),
        cmocka_unit_test(rows_that_hash_alike_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
