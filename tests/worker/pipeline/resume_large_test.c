/*
 * resume_large_test.c - fine-tuning a network with layers as large as they are in
 * practice (resnet18: 64 to 512 channels, the kernels that small nets never reach),
 * killed at its first checkpoint and resumed with another number of threads, ends with
 * the same bytes.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
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
static const char *const of_mask[] = {"teacher", "mask", NULL};

static char *teacher, *mask, *undisturbed; /* folders of stages that ran in peace */

/* One epoch of two steps. */
static char *
folder_of(const char *stage, const char *const *inputs)
{
    char *dir = stage_folder_new(), *epochs = xasprintf("%s_epochs", stage);

    stage_folder_spec(dir, stage,
                      json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "model", "resnet18",
                                "train_images", 8, "val_images", 2, "batch", 4,
                                "attack_steps", 1, epochs, 1),
                      inputs);
    for (; *inputs != NULL; inputs++)
        stage_folder_give(dir, *inputs,
                          strcmp(*inputs, "teacher") == 0 ? teacher : mask);
    free(epochs);
    return dir;
}

static int
make_runs(void **state)
{
    (void)state;
    teacher = folder_of("teacher", none);
    if (stage_folder_run(teacher) != 0)
        return -1;
    mask = folder_of("mask", of_teacher);
    if (stage_folder_run(mask) != 0)
        return -1;
    undisturbed = folder_of("finetune", of_mask);
    return stage_folder_run(undisturbed);
}

static int
drop_runs(void **state)
{
    (void)state;
    stage_folder_free(teacher);
    stage_folder_free(mask);
    stage_folder_free(undisturbed);
    return 0;
}

static json_t *
checkpoints(const char *dir)
{
    char *events = file_join(dir, "events");
    json_t *kept = file_exists(events) ? stage_folder_events(dir, "checkpoint") : NULL;

    free(events);
    return kept;
}

/* Starts the stage and kills it once it has kept a checkpoint: then DIR/resume. */
static void
kill_at_first_checkpoint(const char *dir)
{
    const int pid = stage_folder_start(dir, 1, "0");
    json_t *kept = checkpoints(dir);

    for (int i = 0; i < 60000 && json_array_size(kept) == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        json_decref(kept);
        kept = checkpoints(dir);
    }
    kill(pid, SIGKILL);
    assert_int_equal(stage_folder_wait(pid), -SIGKILL);
    assert_true(json_array_size(kept) > 0);
    char *file = file_join(dir, json_str(json_array_get(kept, 0), "file", ""));
    stage_folder_put(dir, "resume", file);
    json_decref(kept);
    free(file);
}

static void
a_large_net_killed_and_resumed_with_two_threads_ends_with_the_same_bytes(void **state)
{
    char *dir = folder_of("finetune", of_mask);
    char *got = file_join(dir, "model.safetensors");
    char *want = file_join(undisturbed, "model.safetensors");

    (void)state;
    kill_at_first_checkpoint(dir);
    assert_false(file_exists(got));
    assert_int_equal(stage_folder_wait(stage_folder_start(dir, 2, "1000")), 0);
    assert_true(stage_folder_same(got, want));
    free(got);
    free(want);
    stage_folder_free(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_large_net_killed_and_resumed_with_two_threads_ends_with_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, make_runs, drop_runs);
}
