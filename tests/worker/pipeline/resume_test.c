/*
 * resume_test.c - a stage that was stopped or killed ends with the same bytes as one
 * that was not. An undisturbed run keeps a checkpoint after every step; from each of
 * them the stage must reach the same model.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/worker/pipeline/stage_folder.h"

static const char *const none[] = {NULL};
static const char *const of_teacher[] = {"teacher", NULL};

static char *teacher, *mask; /* folders of undisturbed runs, a checkpoint a step */

static char *
folder_of(const char *stage)
{
    const int is_mask = strcmp(stage, "mask") == 0;
    char *dir = stage_folder_new();

    stage_folder_spec(dir, stage,
                      strcmp(stage, "sensitivity") == 0
                          ? json_pack("{s:i, s:i}", "sensitivity_epochs", 2,
                                      "sensitivity_interval", 2)
                          : NULL,
                      is_mask ? of_teacher : none);
    if (is_mask) {
        char *model = file_join(teacher, "model.safetensors");
        stage_folder_put(dir, "inputs/teacher.model", model);
        free(model);
    }
    return dir;
}

static int
make_runs(void **state)
{
    (void)state;
    teacher = folder_of("teacher");
    if (stage_folder_wait(stage_folder_start(teacher, 1, "0")) != 0)
        return -1;
    mask = folder_of("mask");
    return stage_folder_wait(stage_folder_start(mask, 1, "0"));
}

static int
drop_runs(void **state)
{
    (void)state;
    stage_folder_free(teacher);
    stage_folder_free(mask);
    return 0;
}

static void
expect_same_model(const char *dir, const char *undisturbed)
{
    char *a = file_join(dir, "model.safetensors");
    char *b = file_join(undisturbed, "model.safetensors");

    assert_true(stage_folder_same(a, b));
    free(a);
    free(b);
}

/* Goes on from every checkpoint of the undisturbed run, 1 and 2 threads in turn. */
static void
resume_everywhere(const char *stage, const char *undisturbed)
{
    json_t *kept = stage_folder_events(undisturbed, "checkpoint"), *row;
    size_t i;

    assert_true(json_array_size(kept) >= 6);
    json_array_foreach(kept, i, row)
    {
        char *from = file_join(undisturbed, json_str(row, "file", ""));
        char *dir = folder_of(stage);
        stage_folder_put(dir, "resume", from);
        const int pid = stage_folder_start(dir, 1 + (int)i % 2, "1000");
        assert_int_equal(stage_folder_wait(pid), 0);
        expect_same_model(dir, undisturbed);
        stage_folder_free(dir);
        free(from);
    }
    json_decref(kept);
}

static void
a_teacher_resumed_at_any_step_ends_with_the_same_bytes(void **state)
{
    (void)state;
    resume_everywhere("teacher", teacher);
}

static void
a_mask_search_resumed_at_any_step_ends_with_the_same_bytes(void **state)
{
    (void)state;
    resume_everywhere("mask", mask);
}

static void
a_sensitivity_run_resumed_at_any_step_ends_with_the_same_bytes(void **state)
{
    char *undisturbed = folder_of("sensitivity");

    (void)state;
    assert_int_equal(stage_folder_wait(stage_folder_start(undisturbed, 1, "0")), 0);
    resume_everywhere("sensitivity", undisturbed);
    stage_folder_free(undisturbed);
}

/* The newest checkpoint that the events of DIR name becomes DIR/resume. */
static void
go_on(const char *dir)
{
    json_t *kept = stage_folder_events(dir, "checkpoint");
    const size_t n = json_array_size(kept);

    if (n > 0) {
        char *file = file_join(dir, json_str(json_array_get(kept, n - 1), "file", ""));
        stage_folder_put(dir, "resume", file);
        free(file);
    }
    json_decref(kept);
}

static void
sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
              NULL);
}

/* Sends `signal_number` after 20, 40, 80, ... ms until a run gets through. */
static void
interrupt_until_done(int signal_number, int expected)
{
    char *dir = folder_of("mask");
    int code = -1, interrupted = 0;

    for (long ms = 20; code != 0; ms *= 2) {
        const int pid = stage_folder_start(dir, 1, "0.01");
        sleep_ms(ms);
        kill(pid, signal_number);
        code = stage_folder_wait(pid);
        assert_true(code == 0 || code == expected || code == -signal_number);
        interrupted += code != 0;
        go_on(dir);
    }
    assert_true(interrupted > 0);
    expect_same_model(dir, mask);
    stage_folder_free(dir);
}

static void
a_stage_killed_again_and_again_ends_with_the_same_bytes(void **state)
{
    (void)state;
    interrupt_until_done(SIGKILL, -SIGKILL);
}

static void
a_stage_asked_to_stop_again_and_again_ends_with_the_same_bytes(void **state)
{
    (void)state;
    interrupt_until_done(SIGTERM, 15);
}

static void
a_stage_asked_to_stop_keeps_a_checkpoint_and_says_so(void **state)
{
    char *dir = folder_of("teacher");

    (void)state;
    stage_folder_spec(dir, "teacher", json_pack("{s:i}", "teacher_epochs", 5000), none);
    const int pid = stage_folder_start(dir, 1, "1000");
    json_t *progress = NULL;
    for (int i = 0; i < 500 && json_array_size(progress) == 0; i++) {
        sleep_ms(10);
        json_decref(progress);
        char *events = file_join(dir, "events");
        progress = file_exists(events) ? stage_folder_events(dir, "progress") : NULL;
        free(events);
    }
    kill(pid, SIGTERM);
    assert_int_equal(stage_folder_wait(pid), 15);
    json_t *kept = stage_folder_events(dir, "checkpoint");
    json_t *errors = stage_folder_events(dir, "error");
    assert_true(json_array_size(kept) >= 1);
    assert_string_equal(json_str(json_array_get(errors, 0), "kind", ""), "stopped");
    json_decref(progress);
    json_decref(kept);
    json_decref(errors);
    stage_folder_free(dir);
}

static void
a_checkpoint_that_does_not_fit_is_said_to_be_unusable(void **state)
{
    json_t *kept = stage_folder_events(teacher, "checkpoint");
    const char *first = json_str(json_array_get(kept, 0), "file", "");
    char *other = file_join(teacher, first), *dir = folder_of("mask");

    (void)state;
    stage_folder_put(dir, "resume", other);
    assert_int_equal(stage_folder_run(dir), err_kind_exit(ERR_CHECKPOINT));
    json_t *errors = stage_folder_events(dir, "error");
    assert_string_equal(json_str(json_array_get(errors, 0), "kind", ""), "checkpoint");
    json_decref(errors);
    json_decref(kept);
    free(other);
    stage_folder_free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_teacher_resumed_at_any_step_ends_with_the_same_bytes),
        cmocka_unit_test(a_mask_search_resumed_at_any_step_ends_with_the_same_bytes),
        cmocka_unit_test(
            a_sensitivity_run_resumed_at_any_step_ends_with_the_same_bytes),
        cmocka_unit_test(a_stage_killed_again_and_again_ends_with_the_same_bytes),
        cmocka_unit_test(
            a_stage_asked_to_stop_again_and_again_ends_with_the_same_bytes),
        cmocka_unit_test(a_stage_asked_to_stop_keeps_a_checkpoint_and_says_so),
        cmocka_unit_test(a_checkpoint_that_does_not_fit_is_said_to_be_unusable),
    };

    return cmocka_run_group_tests(tests, make_runs, drop_runs);
}
