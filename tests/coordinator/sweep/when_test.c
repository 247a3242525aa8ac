/* Conditions: grammar, precedence, absent values, errors at their column. */
#include "coordinator/sweep/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/coordinator/sweep/fixture.h"

static struct arena mem;
static struct space space;

static int
setup(void **state)
{
    struct err err = {0};

    fixture_setup(state);
    return space_init(&space, &fixture_catalog.methods[0], &err);
}

static int
teardown(void **state)
{
    space_release(&space);
    arena_release(&mem);
    return fixture_teardown(state);
}

static struct yaml_node
text_node(const char *text)
{
    return (struct yaml_node){
        .kind = YAML_TEXT, .file = "f", .line = 3, .column = 10, .text = text};
}

/* Holds for the defaults: temperature 4, loss kl, half_batch true. */
static bool
holds(const char *text)
{
    const struct yaml_node at = text_node(text);
    struct err err = {0};
    struct when *w;

    if (when_parse(&w, &at, &space, &mem, &err) != 0)
        fail_msg("%s", err.text);
    uint32_t *row = calloc(space.n, sizeof *row);
    for (size_t i = 0; i < space.n; i++)
        row[i] = SWEEP_ENTRY(space.params[i].dflt, 0);
    const bool result = when_holds(w, row);
    free(row);
    return result;
}

static void
fails(const char *text, const char *expected)
{
    const struct yaml_node at = text_node(text);
    struct err err = {0};
    struct when *w;

    assert_int_equal(when_parse(&w, &at, &space, &mem, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    if (strncmp(err.text, expected, strlen(expected)) != 0)
        assert_string_equal(err.text, expected);
}

static void
tests_compare_values_not_spellings(void **state)
{
    (void)state;
    assert_true(holds("temperature == 4.0"));
    assert_true(holds("relu_budget == 50k"));
    assert_true(holds("relu_budget == '50000'"));
    assert_false(holds("relu_budget != 50000"));
    assert_true(holds("loss in [ce, kl]"));
    assert_false(holds("loss not in [ce, kl]"));
    assert_true(holds("half_batch"));
    assert_false(holds("not half_batch"));
}

static void
and_binds_closer_than_or(void **state)
{
    (void)state;
    assert_true(holds("loss == kl or loss == ce and temperature == 1"));
    assert_false(holds("(loss == kl or loss == ce) and temperature == 1"));
    assert_true(holds("not loss == ce and temperature == 4"));
}

static void
an_absent_parameter_equals_nothing(void **state)
{
    const struct yaml_node eq = text_node("loss == kl"), ne = text_node("loss != kl");
    uint32_t *row = calloc(space.n, sizeof *row);
    struct err err = {0};
    struct when *w;

    (void)state;
    assert_int_equal(when_parse(&w, &eq, &space, &mem, &err), 0);
    assert_false(when_holds(w, row));
    assert_int_equal(when_parse(&w, &ne, &space, &mem, &err), 0);
    assert_true(when_holds(w, row));
    free(row);
}

static void
errors_point_into_the_text(void **state)
{
    (void)state;
    fails("loss = kl", "f:3:15: condition `loss = kl`: expected ==, != or in");
    fails("loss == kl kl", "f:3:21: condition `loss == kl kl`: expected `and`");
    fails("los == kl", "f:3:10: condition `los == kl`: `los` is no parameter of "
                       "rlnet; did you mean `loss`?");
    fails("loss == ", "f:3:18:");
    fails("(loss == kl", "f:3:21: condition `(loss == kl`: expected )");
    fails("loss in kl", "f:3:18: condition `loss in kl`: expected [");
    fails("loss in [kl", "f:3:21:");
    fails("loss not kl", "f:3:19:");
    fails("loss == kx", "f:3:10: loss = `kx` is not known");
    fails("temperature == x", "f:3:10: `x` is not a number");
    fails("", "f:3:10: condition ``: expected the name of a parameter");
    fails("loss == 'kl", "f:3:18:");
}

static void
nesting_is_bounded(void **state)
{
    char text[1001];

    (void)state;
    memset(text, '(', 1000);
    text[1000] = '\0';
    fails(text, "f:3:74: condition");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tests_compare_values_not_spellings),
        cmocka_unit_test(and_binds_closer_than_or),
        cmocka_unit_test(an_absent_parameter_equals_nothing),
        cmocka_unit_test(errors_point_into_the_text),
        cmocka_unit_test(nesting_is_bounded),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
