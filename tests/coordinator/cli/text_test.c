/* Text on a terminal: what is let through, columns, cutting, bars, curves, durations. */
#include "coordinator/cli/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
cleaned(const char *text, const char *want)
{
    char *got = text_clean(text);

    assert_string_equal(got, want);
    free(got);
}

static void
nothing_that_acts_on_a_terminal_passes(void **state)
{
    (void)state;
    cleaned("", "");
    cleaned("x\033[31my\r\nz\a\x7f", "x?[31my? z??");
    cleaned("\xc2\x9b"
            "31m",
            "?31m"); /* CSI as one character */
    cleaned("a\xe2\x80\xae"
            "b",
            "a?b"); /* writes from right to left */
    cleaned("f\xc3\xbcr \xe2\x82\xac", "f\xc3\xbcr \xe2\x82\xac");
}

static void
what_is_no_utf8_is_shown_as_such(void **state)
{
    (void)state;
    cleaned("a\xff\xc3", "a??");
    cleaned("\xc0\x80", "??");           /* longer than needed */
    cleaned("\xed\xa0\x80", "???");      /* half a surrogate pair */
    cleaned("\xf4\x90\x80\x80", "????"); /* behind the last character */
    cleaned("\xe2\x82", "??");
}

static void
columns_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("\xc3\xa4\xe2\x96\x88"), 2);
    assert_int_equal(text_width("\xe6\xbc\xa2\xe5\xad\x97"), 4); /* Chinese */
    assert_int_equal(text_width("e\xcc\x81"), 1);                /* e and an accent */
}

static void
cut(const char *text, size_t columns, const char *want)
{
    struct buf out = {0};
    const size_t taken = text_put(&out, text, columns);

    assert_string_equal(buf_str(&out), want);
    assert_int_equal(taken, text_width(want));
    assert_true(taken <= columns);
    buf_release(&out);
}

static void
a_cut_never_goes_through_a_character(void **state)
{
    (void)state;
    cut("abcdef", 6, "abcdef");
    cut("abcdefg", 6, "abc...");
    cut("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 5, "\xe6\xbc\xa2...");
    cut("\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 4, "...");
    cut("abcdef", 2, "..");
    cut("abcdef", 0, "");
}

static void
bar(double done, double running, double waiting, double failed, const char *want)
{
    const struct text_bar b = {done, running, waiting, failed};
    struct buf out = {0};
    size_t widths[4];

    text_bar_widths(widths, &b, 10);
    for (int i = 0; i < 4; i++)
        text_bar_part(&out, i, widths[i], false);
    assert_string_equal(buf_str(&out), want);
    buf_release(&out);
}

static void
a_bar_shows_every_state_that_there_is(void **state)
{
    (void)state;
    bar(10, 0, 0, 0, "##########");
    bar(5, 1, 4, 0, "#####=....");
    bar(999, 1, 0, 0, "#########=");
    bar(1, 1, 100000, 1, "#=!.......");
    bar(100000, 1, 1, 1, "#######=!.");
    bar(0, 0, 0, 0, "..........");
}

static void
curve(const double *values, size_t n, size_t columns, const char *want)
{
    struct buf out = {0};

    text_curve(&out, values, n, columns, false);
    assert_string_equal(buf_str(&out), want);
    buf_release(&out);
}

static void
a_curve_runs_from_its_lowest_to_its_highest(void **state)
{
    const double falling[] = {7, 6, 5, 4, 3, 2, 1, 0}, flat[] = {3, 3};

    (void)state;
    curve(falling, 8, 20, "#*+=~-._");
    curve(falling, 8, 4, "#+-_"); /* means of two */
    curve(flat, 2, 8, "==");
    curve(falling, 1, 8, "=");
}

static void
durations_are_written_for_people(void **state)
{
    (void)state;
    assert_string_equal(text_duration(12.4), "12 s");
    assert_string_equal(text_duration(200), "3 min 20 s");
    assert_string_equal(text_duration(3900), "1 h 05 min");
    assert_string_equal(text_duration(-1), "?");
    assert_string_equal(text_duration((double)(0.0 / 0.0)), "?");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_acts_on_a_terminal_passes),
        cmocka_unit_test(what_is_no_utf8_is_shown_as_such),
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(a_cut_never_goes_through_a_character),
        cmocka_unit_test(a_bar_shows_every_state_that_there_is),
        cmocka_unit_test(a_curve_runs_from_its_lowest_to_its_highest),
        cmocka_unit_test(durations_are_written_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
