/*
 * evaluate_test.c - an evaluation that was cut short ends with the same answers as one
 * that was not, and measures no image twice.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "tests/worker/pipeline/stage_folder.h"
#include "worker/pipeline/safetensors.h"

static const char *const none[] = {NULL};
static const char *const of_teacher[] = {"teacher", NULL};

static char *teacher, *whole; /* folders: the network, an undisturbed evaluation */

static char *
new_evaluation(void)
{
    char *dir = stage_folder_new();
    char *model = file_join(teacher, "model.safetensors");

    stage_folder_spec(dir, "evaluate",
                      json_pack("{s:s, s:s, s:s, s:i, s:i}", "evaluate",
                                "clean,corruptions,pgd-7,apgd-ce", "corruption_kinds",
                                "brightness", "attack_paths", "clean,adv", "eval_steps",
                                4, "attack_images", 70),
                      of_teacher);
    stage_folder_put(dir, "inputs/teacher.model", model);
    free(model);
    return dir;
}

static int
make_runs(void **state)
{
    (void)state;
    teacher = stage_folder_new();
    stage_folder_spec(teacher, "teacher", NULL, none);
    if (stage_folder_run(teacher) != 0)
        return -1;
    whole = new_evaluation();
    return stage_folder_wait(stage_folder_start(whole, 1, "0"));
}

static int
drop_runs(void **state)
{
    (void)state;
    stage_folder_free(teacher);
    stage_folder_free(whole);
    return 0;
}

static void
expect_same_answers(const char *dir)
{
    char *a = file_join(dir, "answers.safetensors");
    char *b = file_join(whole, "answers.safetensors");

    assert_true(stage_folder_same(a, b));
    free(a);
    free(b);
}

static void
an_evaluation_resumed_after_any_batch_ends_with_the_same_answers(void **state)
{
    json_t *kept = stage_folder_events(whole, "checkpoint"), *row;
    size_t i;

    (void)state;
    assert_int_equal(json_array_size(kept), 1 + 5 + 4 * 2); /* a batch each */
    json_array_foreach(kept, i, row)
    {
        char *from = file_join(whole, json_str(row, "file", ""));
        char *dir = new_evaluation();
        stage_folder_put(dir, "resume", from);
        assert_int_equal(
            stage_folder_wait(stage_folder_start(dir, 1 + (int)i % 2, "0")), 0);
        json_t *again = stage_folder_events(dir, "checkpoint");
        assert_int_equal(json_array_size(again), json_array_size(kept) - i - 1);
        expect_same_answers(dir);
        assert_true(stage_folder_final(dir, "AdvA")
                    == stage_folder_final(whole, "AdvA"));
        json_decref(again);
        stage_folder_free(dir);
        free(from);
    }
    json_decref(kept);
}

static void
a_checkpoint_of_another_kind_is_said_to_be_unusable(void **state)
{
    char *dir = new_evaluation(), *model = file_join(teacher, "model.safetensors");

    (void)state;
    stage_folder_put(dir, "resume", model);
    assert_int_equal(stage_folder_run(dir), err_kind_exit(ERR_CHECKPOINT));
    free(model);
    stage_folder_free(dir);
}

static double
share(const struct st_file *f, const char *name)
{
    const struct st_tensor *t = st_find(f, name);
    int64_t right = 0;

    assert_non_null(t);
    for (int64_t i = 0; i < t->count; i++)
        right += ((const uint8_t *)t->data)[i];
    return 100.0 * (double)right / (double)t->count;
}

static void
answers_are_kept_for_every_image_and_the_metrics_are_their_shares(void **state)
{
    const char *const names[] = {"corruption/brightness/3", "attack/pgd-7/0",
                                 "attack/pgd-7/1", "attack/apgd-ce/0",
                                 "attack/apgd-ce/1"};
    char *path = file_join(whole, "answers.safetensors");
    struct st_file *f;
    struct err err;

    (void)state;
    assert_int_equal(st_read(&f, path, &err), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(fabs(share(f, names[i]) - stage_folder_final(whole, names[i]))
                    < 1e-9);
    assert_true(fabs(share(f, "clean") - stage_folder_final(whole, "CA")) < 1e-9);
    assert_int_equal(st_find(f, "attack/apgd-ce/1")->count, 70);
    assert_int_equal(st_find(f, "images/attacked")->count, 70);
    st_free(f);
    free(path);
}

static void
the_network_is_measured_too(void **state)
{
    double sum = 0;

    (void)state;
    for (int layer = 0; layer < 9; layer++) {
        char name[32];
        snprintf(name, sizeof name, "relus/layer/%d", layer);
        sum += stage_folder_final(whole, name);
    }
    assert_true(sum == stage_folder_final(whole, "relus"));
    assert_true(stage_folder_final(whole, "relu_saving") == 1);
    assert_true(stage_folder_final(whole, "linear_inputs") > 0);
    assert_true(stage_folder_final(whole, "corruptions_published") == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            an_evaluation_resumed_after_any_batch_ends_with_the_same_answers),
        cmocka_unit_test(a_checkpoint_of_another_kind_is_said_to_be_unusable),
        cmocka_unit_test(
            answers_are_kept_for_every_image_and_the_metrics_are_their_shares),
        cmocka_unit_test(the_network_is_measured_too),
    };

    return cmocka_run_group_tests(tests, make_runs, drop_runs);
}
