/* svg_test.c - the display list as SVG text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/report/svg.h"

static const struct display_style blue = {.stroke = DISPLAY_BLUE,
                                          .fill = DISPLAY_BLUE,
                                          .width = 1};

static void
says(const struct display *d, bool standalone, const char *part, bool want)
{
    struct buf b = {0};

    svg_draw(&b, d, standalone);
    if ((strstr(buf_str(&b), part) != NULL) != want)
        fail_msg("`%s` is%s in\n%s", part, want ? " not" : "", buf_str(&b));
    buf_release(&b);
}

static void
a_group_may_have_a_title_and_a_link(void **state)
{
    struct display d;

    (void)state;
    display_init(&d, 10, 10, "t");
    display_group(&d, blue, "a <title>", "x.html?a=1&b=2");
    display_marker(&d, 1, 2, 3, DISPLAY_CIRCLE, blue, NULL);
    display_group_end(&d);
    says(&d, false, "<a href=\"x.html?a=1&amp;b=2\"><g ", true);
    says(&d, false, "<title>a &lt;title&gt;</title>", true);
    says(&d, false, "</g></a>", true);
    display_release(&d);
}

static void
what_the_group_has_set_is_not_repeated(void **state)
{
    struct display d;

    (void)state;
    display_init(&d, 10, 10, "t");
    display_group(&d, blue, NULL, NULL);
    display_marker(&d, 1, 2.04, 3, DISPLAY_CIRCLE, blue, "tip");
    display_group_end(&d);
    says(&d, false, "<circle cx=\"1\" cy=\"2\" r=\"3\"><title>tip</title></circle>",
         true);
    display_release(&d);
}

static void
a_point_that_is_not_there_lifts_the_pen(void **state)
{
    const struct display_point points[] = {{0, 0}, {1, 1}, {NAN, NAN}, {2, -0.04}};
    struct display d;

    (void)state;
    display_init(&d, 10, 10, "t");
    display_lines(&d, points, 4, blue);
    says(&d, false, "M0 0L1 1M2 0\"", true);
    display_release(&d);
}

static void
only_a_file_of_its_own_brings_paper_and_ink(void **state)
{
    struct display d;

    (void)state;
    display_init(&d, 10, 10, "t");
    says(&d, true, "color=\"#1f2328\"", true);
    says(&d, true, "fill=\"#fff\"", true);
    says(&d, false, "color=", false);
    says(&d, false, "#fff", false);
    display_release(&d);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_may_have_a_title_and_a_link),
        cmocka_unit_test(what_the_group_has_set_is_not_repeated),
        cmocka_unit_test(a_point_that_is_not_there_lifts_the_pen),
        cmocka_unit_test(only_a_file_of_its_own_brings_paper_and_ink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
