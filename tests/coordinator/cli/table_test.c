/* Tables: alignment, cutting to the width, hostile text, no colour in a pipe. */
#include "coordinator/cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *printed;
static size_t printed_size;

/* Prints with stdout going into `printed`. */
static const char *
print(struct table *t, int columns, bool colour)
{
    const struct cmd_ctx ctx = {.table_columns = columns, .colour = colour};
    FILE *terminal = stdout;

    free(printed);
    stdout = open_memstream(&printed, &printed_size);
    assert_non_null(stdout);
    table_print(t, &ctx);
    fclose(stdout);
    stdout = terminal;
    return printed;
}

static void
numbers_are_aligned_to_the_right(void **state)
{
    struct table *t = table_new("NAME|>JOBS|STATE");

    (void)state;
    table_add(t, "a");
    table_add(t, "%d", 7);
    table_add(t, "ok");
    table_add(t, "longer");
    table_add(t, "%d", 12345);
    table_add(t, NULL);
    assert_string_equal(print(t, 80, false), "NAME     JOBS  STATE\n"
                                             "a           7  ok\n"
                                             "longer  12345  \n");
}

static void
the_widest_column_gives_way(void **state)
{
    struct table *t = table_new("A|TEXT");

    (void)state;
    table_add(t, "1");
    table_add(t, "the quick brown fox jumps over the lazy dog");
    assert_string_equal(print(t, 20, false), "A  TEXT\n1  the quick brow...\n");
}

static void
numbers_are_never_cut(void **state)
{
    struct table *t = table_new(">TIME|TEXT");

    (void)state;
    table_add(t, "11 h 59 min and more");
    table_add(t, "the quick brown fox");
    assert_string_equal(print(t, 36, false), "                TIME  TEXT\n"
                                             "11 h 59 min and more  the quick b...\n");
}

static void
text_of_others_cannot_act_on_the_terminal(void **state)
{
    struct table *t = table_new("A");

    (void)state;
    table_add(t, "%s", "x\033[31my\r\nz\a");
    print(t, 80, false);
    assert_null(strchr(printed, '\033'));
    assert_null(strchr(printed, '\r'));
    assert_null(strchr(printed, '\a'));
    assert_string_equal(strchr(printed, '\n') + 1, "x?[31my? z?\n");
}

static void
characters_are_counted_not_bytes(void **state)
{
    struct table *t = table_new("A|B");

    (void)state;
    table_add(t, "\xc3\xa4\xc3\xb6");
    table_add(t, "x");
    table_add(t, "abc");
    table_add(t, "y");
    assert_string_equal(print(t, 80, false), "A    B\n\xc3\xa4\xc3\xb6   x\nabc  y\n");
}

static void
colour_is_only_in_the_heading_and_only_when_wanted(void **state)
{
    struct table *t = table_new("A");

    (void)state;
    table_add(t, "b");
    assert_string_equal(print(t, 80, true), "\033[1mA\033[0m\nb\n");
}

static void
a_narrow_terminal_goes_without_what_may_be_missing(void **state)
{
    (void)state;
    for (int wide = 0; wide <= 1; wide++) {
        struct table *t = table_new("JOB|~WORKER|ERROR");
        table_add(t, "1");
        table_add(t, "host-name");
        table_add(t, "a NaN in the loss");
        assert_string_equal(
            print(t, wide ? 28 : 18, false),
            wide ? "JOB  WORKER     ERROR\n1    host-name  a NaN in ...\n"
                 : "JOB  ERROR\n1    a NaN in t...\n");
    }
}

static void
a_pipe_gets_whole_lines(void **state)
{
    struct table *t = table_new("A|TEXT");

    (void)state;
    table_add(t, "1");
    table_add(t, "%090d", 0);
    assert_int_equal(strlen(print(t, 0, false)), strlen("A  TEXT\n1  \n") + 90);
}

static int
teardown(void **state)
{
    (void)state;
    free(printed);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_aligned_to_the_right),
        cmocka_unit_test(the_widest_column_gives_way),
        cmocka_unit_test(numbers_are_never_cut),
        cmocka_unit_test(text_of_others_cannot_act_on_the_terminal),
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(colour_is_only_in_the_heading_and_only_when_wanted),
        cmocka_unit_test(a_narrow_terminal_goes_without_what_may_be_missing),
        cmocka_unit_test(a_pipe_gets_whole_lines),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
