/* word_test.c - which word is taken for the one that was meant, and how errors name it. */
#include "shared/base/word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const stages[] = {"teacher", "mask", "finetune", "evaluate", NULL};

static void
a_slip_of_the_finger_finds_its_word(void **state)
{
    (void)state;
    assert_string_equal(word_nearest(stages, "techer"), "teacher");
    assert_string_equal(word_nearest(stages, "finetunes"), "finetune");
    assert_string_equal(word_nearest(stages, "msak"), "mask");
}

static void
a_different_word_finds_none(void **state)
{
    static const char *const none[] = {NULL};

    (void)state;
    assert_null(word_nearest(stages, "distillation"));
    assert_null(word_nearest(stages, "export"));
    assert_null(word_nearest(none, "mask"));
}

static void
of_two_equally_near_words_the_first_is_taken(void **state)
{
    static const char *const words[] = {"bat", "cat", NULL};

    (void)state;
    assert_string_equal(word_nearest(words, "hat"), "bat");
}

static void
a_hint_is_a_clause_or_nothing(void **state)
{
    (void)state;
    assert_string_equal(word_hint("mask").text, "; did you mean `mask`?");
    assert_string_equal(word_hint(NULL).text, "");
}

static void
an_unknown_word_is_answered_with_all_that_there_are(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(word_unknown("stage", "masc", stages, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text,
                        "stage `masc` is not known; did you mean `mask`?; there are: "
                        "teacher, mask, finetune, evaluate");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_finger_finds_its_word),
        cmocka_unit_test(a_different_word_finds_none),
        cmocka_unit_test(of_two_equally_near_words_the_first_is_taken),
        cmocka_unit_test(a_hint_is_a_clause_or_nothing),
        cmocka_unit_test(an_unknown_word_is_answered_with_all_that_there_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
