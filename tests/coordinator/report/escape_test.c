/* escape_test.c - hostile text in every format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/report/escape.h"
#include "tests/coordinator/report/fixture.h"

typedef void escape_fn(struct buf *out, const char *s);

static void
expect(escape_fn *escape, const char *in, const char *want)
{
    struct buf b = {0};

    escape(&b, in);
    assert_string_equal(buf_str(&b), want);
    buf_release(&b);
}

static void
markup_has_no_tags_quotes_or_controls_left(void **state)
{
    (void)state;
    expect(escape_markup, "<a href=\"x\">'&'</a>",
           "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    expect(escape_markup, "a\x1b[31m\x7f\tb\n", "a�[31m�\tb\n");
    expect(escape_markup, "\u202Eevil\u200B\uFFFF", "�evil��");
    expect(escape_markup, "±×…€😀", "±×…€😀");
}

static void
broken_utf8_becomes_replacement_characters(void **state)
{
    (void)state;
    expect(escape_markup, "\xff<\xc3", "�&lt;�");
    expect(escape_markup, "\xe2\x82", "��");
    expect(escape_markup, "\xc0\xbc", "��"); /* an overlong '<' */
    expect(escape_terminal, "a\xff\x1b", "a??");
}

static void
csv_quotes_only_what_needs_it(void **state)
{
    (void)state;
    expect(escape_csv, "plain text", "plain text");
    expect(escape_csv, "a,b", "\"a,b\"");
    expect(escape_csv, "say \"x\"\n", "\"say \"\"x\"\"\n\"");
}

static void
a_terminal_gets_no_escape_sequence(void **state)
{
    (void)state;
    expect(escape_terminal, "a\x1b]0;title\x07\nb\xc2\x9b", "a?]0;title??b?");
}

static void
a_shell_argument_stays_one_argument(void **state)
{
    (void)state;
    expect(escape_shell, "seed=0,1", "seed=0,1");
    expect(escape_shell, "a b; rm -rf $HOME", "'a b; rm -rf $HOME'");
    expect(escape_shell, "it's", "'it'\\''s'");
    expect(escape_shell, "", "''");
}

static void
random_bytes_never_leave_a_special_character(void **state)
{
    uint32_t seed = 4;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        char in[33] = {0};
        struct buf b = {0};
        for (size_t i = 0; i < sizeof in - 1; i++)
            in[i] = (char)(fixture_random(&seed) >> 11);
        escape_markup(&b, in);
        assert_null(strpbrk(buf_str(&b), "<>\"'\x1b\x07"));
        buf_release(&b);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_has_no_tags_quotes_or_controls_left),
        cmocka_unit_test(broken_utf8_becomes_replacement_characters),
        cmocka_unit_test(csv_quotes_only_what_needs_it),
        cmocka_unit_test(a_terminal_gets_no_escape_sequence),
        cmocka_unit_test(a_shell_argument_stays_one_argument),
        cmocka_unit_test(random_bytes_never_leave_a_special_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
