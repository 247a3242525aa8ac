/* The screen of `watch`: one golden page, and that at any size nothing leaves it. */
#include "coordinator/cli/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/cli/text.h"

static const char status_text[] =
    "{\"coordinator\": {\"holder\": \"h\"}, \"workers\": [{\"slots\": 2}, {\"slots\": 4}],"
    " \"sweeps\": [{\"name\": \"t\", \"title\": \"A title\", \"cells\": 9,"
    "  \"cells_done\": 2, \"jobs\": {\"succeeded\": 12, \"leased\": 3, \"blocked\": 20,"
    "  \"failed\": 3}, \"running\": ["
    "  {\"job\": 14, \"stage\": \"finetune\", \"epoch\": 2, \"epochs\": 4, \"step\": 50,"
    "   \"steps\": 200, \"images_per_second\": 812, \"loss\": 1.25, \"seconds_left\": 8,"
    "   \"worker\": \"host/1\"},"
    "  {\"job\": 15, \"stage\": \"evaluate\", \"epoch\": 0, \"epochs\": 0, \"step\": 1,"
    "   \"steps\": 4, \"images_per_second\": 90, \"loss\": 0, \"seconds_left\": -1},"
    "  {\"job\": 116, \"stage\": \"finetune\"}],"
    "  \"failures\": [{\"text\": \"NaN\\u001b[2J in loss\", \"stage\": \"mask\","
    "   \"jobs\": [3, 4]}, {\"text\": \"out of memory\", \"stage\": \"teacher\","
    "   \"jobs\": [1]}]}]}";
static const char outlook_text[] =
    "{\"stages\": [{\"method\": \"rlnet\", \"stage\": \"teacher\", \"jobs\": 2,"
    "  \"succeeded\": 1, \"bad\": 1}, {\"method\": \"rlnet\", \"stage\": \"finetune\","
    "  \"jobs\": 30, \"succeeded\": 11, \"running\": 2, \"waiting\": 17}],"
    " \"curves\": {\"14\": [3, 2, 1.5]}}";

static json_t *status, *outlook;

static int
setup(void **state)
{
    (void)state;
    status = json_loads(status_text, 0, NULL);
    outlook = json_loads(outlook_text, 0, NULL);
    assert_non_null(status);
    assert_non_null(outlook);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    json_decref(status);
    json_decref(outlook);
    return 0;
}

/* The page; caller frees. */
static char *
drawn(int columns, int rows, const char *note)
{
    const struct picture now = {status, outlook, {true, 190, 290}};
    const struct page_look look = {.columns = columns, .rows = rows, .note = note};
    struct buf out = {0};

    page_draw(&out, &now, &look);
    return buf_take(&out);
}

static void
a_page_shows_stages_running_jobs_and_failures(void **state)
{
    setenv("TZ", "UTC", 1);
    char *page = drawn(80, 20, NULL);

    (void)state;
    assert_string_equal(
        page,
        "t  A title\n"
        "38 jobs: 12 done, 3 running, 20 waiting, 3 failed; 2 of 9 cells\n"
        "left: 3 to 5 min, done 00:03 to 00:04  2 workers, 3 of 6 slots busy\n"
        "\n"
        "teacher   #############################!!!!!!!!!!!!!!!!!!!!!!!!!!!!!  1/2\n"
        "finetune  #####################===..................................  11/30\n"
        "\n"
        "JOB  STAGE     EPOCH  DONE  IMAGES/S  LOSS  CURVE  LEFT\n"
        " 14  finetune    2/4   25%       812  1.25  #~._    8 s\n"
        " 15  evaluate          25%        90                   \n"
        "116  finetune                                          \n"
        "\n"
        "FAILED  (relusweep explain JOB says more)\n"
        "3 and 1 more  mask: NaN?[2J in loss\n"
        "1  teacher: out of memory\n"
        "\n\n\n\n"
        "q leaves this view; the sweep goes on");
    free(page);
}

static void
nothing_leaves_the_screen_at_any_size(void **state)
{
    (void)state;
    for (int columns = 5; columns <= 130; columns++)
        for (int rows = 3; rows <= 24; rows += 3) {
            char *page = drawn(columns, rows, NULL), *save = NULL;
            int n = 1;
            for (const char *c = page; *c != '\0'; c++)
                n += *c == '\n';
            if (n > rows && rows >= 8)
                fail_msg("%d lines on %d rows", n, rows);
            for (char *line = strtok_r(page, "\n", &save); line != NULL;
                 line = strtok_r(NULL, "\n", &save))
                if (text_width(line) >= (size_t)columns && columns >= 40)
                    fail_msg("%d columns: `%s`", columns, line);
            free(page);
        }
}

static void
what_does_not_fit_is_counted(void **state)
{
    json_t *running = json_object_get(
        json_array_get(json_object_get(status, "sweeps"), 0), "running");

    (void)state;
    for (int i = 0; i < 40; i++)
        json_array_append_new(running,
                              json_pack("{s:i, s:s}", "job", 200 + i, "stage", "mask"));
    char *page = drawn(80, 24, NULL);
    assert_non_null(strstr(page, "\n... and 34 more\n"));
    assert_non_null(strstr(page, "out of memory"));
    free(page);
}

static void
a_note_takes_the_last_line(void **state)
{
    char *page = drawn(80, 24, "no database\033[2J");

    (void)state;
    assert_string_equal(strrchr(page, '\n'), "\nno database?[2J");
    free(page);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_page_shows_stages_running_jobs_and_failures,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_leaves_the_screen_at_any_size, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_note_takes_the_last_line, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
