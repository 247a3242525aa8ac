/* The live view: plain lines in a pipe, redrawing on a terminal, counts of states. */
#include "coordinator/cli/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *
status(int done, int running, const char *failure)
{
    json_t *doc = json_pack(
        "{s:[{s:s, s:{s:i, s:i, s:i, s:i}, s:[{s:i, s:s, s:i, s:i, s:i, s:i, s:f, "
        "s:f, s:f}], s:[]}]}",
        "sweeps", "name", "t", "jobs", "succeeded", done, "leased", running, "blocked",
        3, "failed", failure ? 1 : 0, "running", "job", 14, "stage", "finetune",
        "epoch", 2, "epochs", 4, "step", 50, "steps", 200, "images_per_second", 812.0,
        "loss", 1.25, "seconds_left", 8.0, "failures");
    json_t *failures =
        json_object_get(json_array_get(json_object_get(doc, "sweeps"), 0), "failures");

    if (failure != NULL)
        json_array_append_new(failures,
                              json_pack("{s:s, s:[i, i], s:s}", "text", failure, "jobs",
                                        14, 15, "stage", "mask"));
    return doc;
}

static struct eta eta; /* of every picture */
static bool onlooker;

/* Shows these documents one after the other and returns what was printed. */
static char *
shown(bool terminal, json_t *const *docs, size_t n)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(to);
    struct view *view = progress_new(to, terminal, onlooker);
    for (size_t i = 0; i < n; i++) {
        const struct picture now = {.status = docs[i], .eta = eta};
        view->show(view, &now);
    }
    view->end(view);
    fclose(to);
    for (size_t i = 0; i < n; i++)
        json_decref(docs[i]);
    return text;
}

static void
a_pipe_gets_a_plain_line_only_when_a_count_changes(void **state)
{
    json_t *docs[] = {status(1, 1, NULL), status(1, 1, NULL), status(2, 1, NULL)};
    char *text = shown(false, docs, 3);

    (void)state;
    assert_string_equal(text, "[0 s] 5 jobs: 1 done, 1 running, 3 waiting\n"
                              "[0 s] 6 jobs: 2 done, 1 running, 3 waiting\n");
    free(text);
}

static void
a_terminal_sees_the_running_stages(void **state)
{
    json_t *docs[] = {status(1, 1, NULL), status(2, 1, NULL)};
    char *text = shown(true, docs, 2);

    (void)state;
    assert_non_null(strstr(
        text, "finetune #14  epoch 2/4   25%  812 images/s  loss 1.25  8 s left"));
    assert_non_null(strstr(text, "\033[2A")); /* goes back over its two lines */
    free(text);
}

static void
what_is_left_is_said_with_its_range(void **state)
{
    json_t *docs[] = {status(1, 1, NULL)};

    (void)state;
    eta = (struct eta){true, 190, 290};
    char *text = shown(false, docs, 1);
    eta = (struct eta){0};
    assert_string_equal(
        text, "[0 s] 5 jobs: 1 done, 1 running, 3 waiting; 3 to 5 min left\n");
    free(text);
}

static void
an_onlooker_is_told_when_nothing_can_move(void **state)
{
    json_t *docs[] = {status(1, 1, NULL), status(2, 1, NULL)};

    (void)state;
    json_object_set_new(docs[1], "coordinator", json_object());
    onlooker = true;
    char *text = shown(false, docs, 2);
    onlooker = false;
    assert_non_null(strstr(text, "3 waiting; no coordinator is running\n"));
    assert_non_null(strstr(text, "3 waiting; no worker is connected\n"));
    free(text);
}

static void
a_paused_sweep_is_said_to_be_one(void **state)
{
    json_t *doc =
        json_pack("{s:{}, s:[{s:i}], s:[{s:{s:i, s:i}}]}", "coordinator", "workers",
                  "slots", 2, "sweeps", "jobs", "succeeded", 5, "held", 3);

    (void)state;
    assert_non_null(strstr(view_trouble(doc), "held back"));
    json_object_set_new(
        json_object_get(json_array_get(json_object_get(doc, "sweeps"), 0), "jobs"),
        "leased", json_integer(1));
    assert_null(view_trouble(doc));
    json_decref(doc);
}

static void
failures_are_shown_without_their_escapes(void **state)
{
    json_t *docs[] = {status(1, 1, "NaN\033[2J in loss")};
    char *text = shown(true, docs, 1);

    (void)state;
    assert_non_null(strstr(text, "failed 2x mask: NaN?[2J in loss"));
    free(text);
}

static void
open_and_bad_jobs_are_counted(void **state)
{
    json_t *doc = status(1, 2, "x");

    (void)state;
    assert_int_equal(view_open_jobs(doc), 5);
    assert_int_equal(view_bad_jobs(doc), 1);
    json_decref(doc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_gets_a_plain_line_only_when_a_count_changes),
        cmocka_unit_test(a_terminal_sees_the_running_stages),
        cmocka_unit_test(what_is_left_is_said_with_its_range),
        cmocka_unit_test(an_onlooker_is_told_when_nothing_can_move),
        cmocka_unit_test(a_paused_sweep_is_said_to_be_one),
        cmocka_unit_test(failures_are_shown_without_their_escapes),
        cmocka_unit_test(open_and_bad_jobs_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
