/* backend_test.c - choosing a backend by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/engine/backend.h"

static void
each_backend_is_found_by_its_name(void **state)
{
    const struct backend *found;
    struct err err;
    (void)state;

    for (const struct backend *const *b = backends; *b != NULL; b++) {
        assert_int_equal(backend_find(&found, backend_name(*b), &err), 0);
        assert_ptr_equal(found, *b);
    }
    assert_int_equal(backend_find(&found, "auto", &err), 0);
    assert_ptr_equal(found, backends[0]);
}

static void
an_unknown_name_is_a_usage_error_that_lists_what_there_is(void **state)
{
    const struct backend *found;
    struct err err;
    (void)state;

    assert_int_equal(backend_find(&found, "abacus", &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "abacus"));
    for (const struct backend *const *b = backends; *b != NULL; b++)
        assert_non_null(strstr(err.text, backend_name(*b)));
}

static void
a_description_names_library_and_version(void **state)
{
    char text[64];
    (void)state;

    for (const struct backend *const *b = backends; *b != NULL; b++) {
        backend_describe(*b, text, sizeof(text));
        assert_true(strncmp(text, "oneDNN ", 7) == 0
                    || strncmp(text, "OpenBLAS ", 9) == 0);
        assert_non_null(strchr(text, '.'));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_backend_is_found_by_its_name),
        cmocka_unit_test(an_unknown_name_is_a_usage_error_that_lists_what_there_is),
        cmocka_unit_test(a_description_names_library_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
