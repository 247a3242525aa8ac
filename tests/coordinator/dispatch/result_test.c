/* What a successful result must not contain. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/dispatch/result.h"

static struct msg_point
point(const char *name, double value)
{
    return (struct msg_point){
        .name = name, .step = -1, .value = value, .unit = "%", .goal = "max"};
}

/* NULL when it is sound; else the outcome, and *text what is wrong. */
static const char *
fault(struct msg_point *finals, size_t n_finals, struct msg_artifact *artifacts,
      size_t n_artifacts, char text[256])
{
    const struct msg_result m = {.run = {7, 3},
                                 .outcome = "ok",
                                 .text = "",
                                 .finals = finals,
                                 .n_finals = n_finals,
                                 .artifacts = artifacts,
                                 .n_artifacts = n_artifacts};
    static char outcome[32];
    struct arena mem = {0};
    const struct msg *out = result_fault(&m, &mem);

    if (out != NULL) {
        assert_int_equal(out->u.result.run.attempt, 3);
        strncpy(text, out->u.result.text, 255);
        text[255] = '\0';
        strncpy(outcome, out->u.result.outcome, sizeof outcome - 1);
    }
    arena_release(&mem);
    return out != NULL ? outcome : NULL;
}

static void
a_sound_result_passes(void **state)
{
    struct msg_point finals[] = {point("CA", 91.5), point("mCE", 0), point("x'\"", -1)};
    struct msg_artifact artifacts[] = {{"model", "aa", 1}, {"mask_2.npy", "aa", 1}};
    char text[256];

    (void)state;
    assert_null(fault(finals, 3, artifacts, 2, text));
    assert_null(fault(NULL, 0, NULL, 0, text));
}

static void
a_final_metric_that_is_no_number_is_a_numeric_failure(void **state)
{
    const double values[] = {NAN, INFINITY, -INFINITY};
    char text[256];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct msg_point finals[] = {point("CA", 91.5), point("AdvA", values[i])};
        assert_string_equal(fault(finals, 2, NULL, 0, text), "numeric");
        assert_non_null(strstr(text, "AdvA"));
    }
}

static void
names_are_given_once_and_are_allowed(void **state)
{
    struct msg_point twice[] = {point("CA", 1), point("CA", 2)};
    struct msg_point nameless[] = {point("", 1)};
    struct msg_artifact paths[] = {{"../model", "aa", 1}};
    struct msg_artifact same[] = {{"model", "aa", 1}, {"model", "bb", 1}};
    char text[256];

    (void)state;
    assert_string_equal(fault(twice, 2, NULL, 0, text), "data");
    assert_string_equal(fault(nameless, 1, NULL, 0, text), "data");
    assert_string_equal(fault(NULL, 0, paths, 1, text), "data");
    assert_non_null(strstr(text, "../model"));
    assert_string_equal(fault(NULL, 0, same, 2, text), "data");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_result_passes),
        cmocka_unit_test(a_final_metric_that_is_no_number_is_a_numeric_failure),
        cmocka_unit_test(names_are_given_once_and_are_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
