/* The hash map against a plain table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coordinator/dispatch/idmap.h"

enum { KEYS = 300, STEPS = 50000 };

static void
it_agrees_with_a_plain_table_under_random_changes(void **state)
{
    static int values[KEYS];
    void *plain[KEYS] = {NULL};
    struct idmap m = {0};
    uint64_t random = 3;

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const int k = (int)((random >> 33) % KEYS);
        const int64_t key = (int64_t)k * 64 + 1; /* clustered on purpose */
        if (random >> 63) {
            idmap_put(&m, key, &values[k]);
            plain[k] = &values[k];
        } else {
            assert_ptr_equal(idmap_take(&m, key), plain[k]);
            plain[k] = NULL;
        }
    }
    size_t n = 0, walked = 0;
    for (int k = 0; k < KEYS; k++) {
        assert_ptr_equal(idmap_find(&m, (int64_t)k * 64 + 1), plain[k]);
        n += plain[k] != NULL;
    }
    for (size_t at = 0; idmap_next(&m, &at) != NULL;)
        walked++;
    assert_int_equal(n, m.n);
    assert_int_equal(n, walked);
    assert_null(idmap_find(&m, 0));
    assert_null(idmap_find(&m, -5));
    idmap_release(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_a_plain_table_under_random_changes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
