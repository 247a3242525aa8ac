/* registry_test.c - every file in ops/ is in the registry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/engine/ops/op.h"

static const char *const files[] = {OP_FILES};

static bool
is_registered(const char *name)
{
    for (const struct op *const *op = ops; *op != NULL; op++)
        if (strcmp((*op)->name, name) == 0)
            return true;
    return false;
}

static void
every_op_file_is_in_the_registry(void **state)
{
    size_t rows = 0;
    (void)state;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_true(is_registered(files[i]));
    while (ops[rows] != NULL)
        rows++;
    assert_int_equal(rows, sizeof(files) / sizeof(files[0]));
}

static void
every_op_runs_forward_and_all_but_the_input_backward(void **state)
{
    (void)state;
    for (const struct op *const *op = ops; *op != NULL; op++) {
        assert_non_null((*op)->forward);
        assert_true((*op)->backward != NULL || *op == &op_input);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_file_is_in_the_registry),
        cmocka_unit_test(every_op_runs_forward_and_all_but_the_input_backward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
