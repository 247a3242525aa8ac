/* From an address to a filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/web/filter.h"

static int
read_filter(struct db_web_filter *f, struct arena *mem, struct request *r,
            const char *target, struct err *err)
{
    assert_int_equal(request_init(r, target, err), 0);
    return filter_read(f, mem, r, 0, err);
}

static void
conditions_have_names_operators_and_values(void **state)
{
    struct db_web_filter f;
    struct arena mem = {0};
    struct request r;
    struct err err;

    (void)state;
    assert_int_equal(read_filter(&f, &mem, &r,
                                 "/jobs?state=failed&sweep=3&where=relu_budget%3E%3D50k"
                                 "+loss!%3Dkl%2Bpram++t%3C0.5",
                                 &err),
                     0);
    assert_int_equal(f.sweep, 3);
    assert_string_equal(f.state, "failed");
    assert_int_equal(f.n_conditions, 3);
    assert_string_equal(f.conditions[0].name, "relu_budget");
    assert_string_equal(f.conditions[0].op, ">=");
    assert_string_equal(f.conditions[0].value, "50000");
    assert_string_equal(f.conditions[1].op, "!=");
    assert_string_equal(f.conditions[1].value, "kl+pram");
    assert_string_equal(f.conditions[2].value, "0.5");
    arena_release(&mem);
    request_release(&r);
}

static void
what_is_no_condition_is_said(void **state)
{
    static const char *const bad[] = {"seed",  "%3D3", "a%3Cmany",
                                      "A%3D1", "a!1",  "a%3C"};
    struct db_web_filter f;
    struct arena mem = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *target = xasprintf("/jobs?where=%s", bad[i]);
        struct request r;
        struct err err;
        assert_int_equal(read_filter(&f, &mem, &r, target, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        request_release(&r);
        free(target);
    }
    arena_release(&mem);
}

static void
nine_conditions_are_too_many(void **state)
{
    struct db_web_filter f;
    struct arena mem = {0};
    struct request r;
    struct err err;

    (void)state;
    assert_int_equal(
        read_filter(&f, &mem, &r,
                    "/jobs?where=a%3D1+a%3D1+a%3D1+a%3D1+a%3D1+a%3D1+a%3D1+a%3D1+a%3D1",
                    &err),
        -1);
    arena_release(&mem);
    request_release(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_have_names_operators_and_values),
        cmocka_unit_test(what_is_no_condition_is_said),
        cmocka_unit_test(nine_conditions_are_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
