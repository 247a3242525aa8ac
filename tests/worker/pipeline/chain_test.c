/* chain_test.c - the four stages of RLNet one after the other, each a process. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/worker/pipeline/stage_folder.h"
#include "worker/pipeline/model_file.h"
#include "worker/pipeline/safetensors.h"

static const char *const none[] = {NULL};
static const char *const of_teacher[] = {"teacher", NULL};
static const char *const of_mask[] = {"teacher", "mask", NULL};
static const char *const of_finetune[] = {"finetune", NULL};

enum { TEACHER, MASK, FINETUNE, N_TRAINED };
static char *folders[N_TRAINED]; /* of the trained stages, by make_chain */

/* Trains teacher, mask and finetune once for all tests. */
static int
make_chain(void **state)
{
    (void)state;
    for (int i = 0; i < N_TRAINED; i++)
        folders[i] = stage_folder_new();
    stage_folder_spec(folders[TEACHER], "teacher", NULL, none);
    int rc = stage_folder_run(folders[TEACHER]);
    if (rc != 0)
        return -1;
    stage_folder_spec(folders[MASK], "mask", NULL, of_teacher);
    stage_folder_give(folders[MASK], "teacher", folders[TEACHER]);
    rc = stage_folder_run(folders[MASK]);
    if (rc != 0)
        return -1;
    stage_folder_spec(folders[FINETUNE], "finetune", NULL, of_mask);
    stage_folder_give(folders[FINETUNE], "teacher", folders[TEACHER]);
    stage_folder_give(folders[FINETUNE], "mask", folders[MASK]);
    return stage_folder_run(folders[FINETUNE]) == 0 ? 0 : -1;
}

static int
drop_chain(void **state)
{
    (void)state;
    for (int i = 0; i < N_TRAINED; i++)
        stage_folder_free(folders[i]);
    return 0;
}

static struct model_file *
open_model(int stage)
{
    char *path = file_join(folders[stage], "model.safetensors");
    struct model_file *f;
    struct err err;

    assert_int_equal(model_file_open(&f, path, &err), 0);
    free(path);
    return f;
}

static void
models_say_what_they_are(void **state)
{
    struct model_file *teacher = open_model(TEACHER), *mask = open_model(MASK);

    (void)state;
    assert_string_equal(model_file_info(teacher)->model, "resnet10-w8");
    assert_int_equal(model_file_info(teacher)->role, MODEL_TEACHER);
    assert_true(model_file_info(teacher)->shared_shortcut_bn);
    assert_int_equal(model_file_info(mask)->role, MODEL_STUDENT);
    assert_int_equal(model_file_info(mask)->relu_count, 2000);
    assert_string_equal(model_file_info(mask)->selected_on, "validation");
    model_file_free(teacher);
    model_file_free(mask);
}

static void
finetuning_keeps_the_masks_and_moves_the_weights(void **state)
{
    char *before = file_join(folders[MASK], "model.safetensors");
    char *after = file_join(folders[FINETUNE], "model.safetensors");
    struct st_file *a, *b;
    struct err err;
    int moved = 0;

    (void)state;
    assert_int_equal(st_read(&a, before, &err), 0);
    assert_int_equal(st_read(&b, after, &err), 0);
    assert_int_equal(st_count(a), st_count(b));
    for (size_t i = 0; i < st_count(a); i++) {
        const struct st_tensor *x = st_at(a, i), *y = st_at(b, i);
        assert_string_equal(x->name, y->name);
        if (strncmp(x->name, "mask.", 5) == 0)
            assert_memory_equal(x->data, y->data, x->bytes);
        else
            moved += memcmp(x->data, y->data, x->bytes) != 0;
    }
    assert_true(moved > 0);
    st_free(a);
    st_free(b);
    free(before);
    free(after);
}

static void
every_epoch_gives_a_point_of_each_curve(void **state)
{
    json_t *batches = stage_folder_events(folders[FINETUNE], "metrics");
    json_t *progress = stage_folder_events(folders[FINETUNE], "progress");

    (void)state;
    assert_int_equal(json_array_size(batches), 2);
    assert_true(json_array_size(json_array_get(batches, 0)) >= 8);
    assert_true(json_array_size(progress) >= 1);
    json_decref(batches);
    json_decref(progress);
}

static void
evaluation_of_the_student_gives_all_numbers_of_a_report(void **state)
{
    const char *const names[] = {"CA",
                                 "NPA",
                                 "mCE",
                                 "AdvA",
                                 "relus_total",
                                 "macs",
                                 "corruption/brightness/5",
                                 "attack/pgd-7/1"};
    char *dir = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "evaluate", NULL, of_finetune);
    stage_folder_give(dir, "finetune", folders[FINETUNE]);
    assert_int_equal(stage_folder_run(dir), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(isfinite(stage_folder_final(dir, names[i])));
    assert_true(stage_folder_final(dir, "relus") == 2000);
    assert_true(stage_folder_final(dir, "selected_on_test") == 0);
    assert_true(
        fabs(stage_folder_final(dir, "NPA") + stage_folder_final(dir, "mCE") - 100)
        < 1e-9);
    stage_folder_free(dir);
}

static void
evaluation_of_the_teacher_counts_all_relus(void **state)
{
    char *dir = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "evaluate", json_pack("{s:s}", "evaluate", "clean,fgsm"),
                      of_teacher);
    stage_folder_give(dir, "teacher", folders[TEACHER]);
    assert_int_equal(stage_folder_run(dir), 0);
    assert_true(stage_folder_final(dir, "relus")
                == stage_folder_final(dir, "relus_total"));
    assert_true(isfinite(stage_folder_final(dir, "attack/fgsm/1")));
    assert_true(isnan(stage_folder_final(dir, "NPA")));
    stage_folder_free(dir);
}

/* ---- options --------------------------------------------------------------------- */

static void
selection_on_the_test_images_is_named(void **state)
{
    char *dir = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "teacher",
                      json_pack("{s:s, s:i}", "select_on", "test", "val_images", 0),
                      none);
    assert_int_equal(stage_folder_run(dir), 0);
    assert_true(stage_folder_final(dir, "selected_on_test") == 1);
    assert_true(isfinite(stage_folder_final(dir, "test/CA")));
    assert_true(isnan(stage_folder_final(dir, "val/CA")));
    stage_folder_free(dir);
}

static void
selection_of_the_last_epoch_keeps_the_last(void **state)
{
    char *dir = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "teacher",
                      json_pack("{s:s, s:i}", "select_on", "last", "val_images", 0),
                      none);
    assert_int_equal(stage_folder_run(dir), 0);
    assert_true(stage_folder_final(dir, "best_epoch") == 2);
    stage_folder_free(dir);
}

static void
the_released_rule_leaves_one_relu_less_in_each_layer(void **state)
{
    char *dir = stage_folder_new();

    (void)state;
    stage_folder_spec(
        dir, "mask",
        json_pack("{s:s, s:s}", "mask_topk", "released", "mask_init", "exact"),
        of_teacher);
    stage_folder_give(dir, "teacher", folders[TEACHER]);
    assert_int_equal(stage_folder_run(dir), 0);
    assert_in_range((int)stage_folder_final(dir, "relus"), 2000 - 9 - 9, 2000 - 9);
    stage_folder_free(dir);
}

/* ---- measured layer budgets ------------------------------------------------------ */

static char *
sensitivity_folder(void)
{
    char *dir = stage_folder_new();

    stage_folder_spec(dir, "sensitivity",
                      json_pack("{s:s, s:i, s:i}", "sensitivity_density", "0.3",
                                "sensitivity_epochs", 2, "sensitivity_interval", 2),
                      none);
    return dir;
}

static void
a_sensitivity_run_keeps_the_share_of_weights_that_it_was_told(void **state)
{
    char *dir = sensitivity_folder(), *path = file_join(dir, "model.safetensors");
    struct st_file *f;
    struct err err;
    double kept = 0, all = 0;

    (void)state;
    assert_int_equal(stage_folder_run(dir), 0);
    assert_int_equal(st_read(&f, path, &err), 0);
    for (size_t i = 0; i < st_count(f); i++) {
        const struct st_tensor *t = st_at(f, i);
        const float *w = t->data;
        for (int64_t k = 0; t->n_dims == 4 && k < t->count; k++) {
            kept += w[k] != 0;
            all++;
        }
    }
    assert_true(fabs(kept / all - 0.3) < 0.02);
    json_t *points = stage_folder_events(dir, "metrics");
    assert_true(json_array_size(points) >= 2); /* densities, and the epoch's numbers */
    json_decref(points);
    st_free(f);
    free(path);
    stage_folder_free(dir);
}

/* Units that each mask of a model keeps. */
static void
count_masks(int64_t *kept, int n, const char *dir)
{
    char *path = file_join(dir, "model.safetensors");
    struct st_file *f;
    struct err err;

    assert_int_equal(st_read(&f, path, &err), 0);
    for (int i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "mask.%d", i);
        const struct st_tensor *t = st_find(f, name);
        const uint8_t *bytes = t->data;
        kept[i] = 0;
        for (int64_t k = 0; k < t->count; k++)
            kept[i] += bytes[k];
    }
    st_free(f);
    free(path);
}

static void
measured_budgets_are_of_the_same_sum_and_other_layers(void **state)
{
    static const char *const of_both[] = {"teacher", "sensitivity", NULL};
    enum { MASKS = 9 };
    char *sparse = sensitivity_folder(), *dir = stage_folder_new();
    int64_t measured[MASKS], published[MASKS], sum = 0;

    (void)state;
    assert_int_equal(stage_folder_run(sparse), 0);
    stage_folder_spec(dir, "mask", json_pack("{s:s}", "budgets", "measured"), of_both);
    stage_folder_give(dir, "teacher", folders[TEACHER]);
    stage_folder_give(dir, "sensitivity", sparse);
    assert_int_equal(stage_folder_run(dir), 0);
    count_masks(measured, MASKS, dir);
    count_masks(published, MASKS, folders[MASK]);
    for (int i = 0; i < MASKS; i++)
        sum += measured[i];
    assert_int_equal(sum, 2000);
    assert_memory_not_equal(measured, published, sizeof measured);
    stage_folder_free(sparse);
    stage_folder_free(dir);
}

/* ---- what goes wrong ------------------------------------------------------------- */

static void
expect_failure(char *dir, int code, const char *kind, const char *says)
{
    assert_int_equal(stage_folder_run(dir), code);
    json_t *errors = stage_folder_events(dir, "error");
    const json_t *error = json_array_get(errors, 0);
    assert_string_equal(json_str(error, "kind", ""), kind);
    if (strstr(json_str(error, "text", ""), says) == NULL)
        fail_msg("`%s` does not say `%s`", json_str(error, "text", ""), says);
    json_decref(errors);
    stage_folder_free(dir);
}

static void
a_missing_input_is_named(void **state)
{
    char *dir = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "mask", NULL, of_teacher);
    expect_failure(dir, 11, "data", "inputs/teacher.model");
}

static void
a_damaged_input_is_refused(void **state)
{
    char *dir = stage_folder_new();
    char *model = file_join(folders[TEACHER], "model.safetensors");
    char *input = file_join(dir, "inputs/teacher.model");
    struct buf bytes = {0};
    struct err err;

    (void)state;
    stage_folder_spec(dir, "mask", NULL, of_teacher);
    assert_int_equal(file_read(&bytes, model, &err), 0);
    assert_int_equal(file_write(input, bytes.data, bytes.len - 100, &err), 0);
    buf_release(&bytes);
    free(model);
    free(input);
    expect_failure(dir, 11, "data", "teacher.model");
}

static void
a_model_of_another_kind_is_refused(void **state)
{
    char *dir = stage_folder_new(), *other = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "mask", NULL, of_teacher);
    stage_folder_give(dir, "teacher", folders[MASK]);
    expect_failure(dir, 11, "data", "is a student, needed is a teacher");
    stage_folder_spec(other, "mask", json_pack("{s:s}", "model", "resnet18"),
                      of_teacher);
    stage_folder_give(other, "teacher", folders[TEACHER]);
    expect_failure(other, 11, "data", "is resnet10-w8 on synthetic");
}

static void
a_budget_that_the_network_cannot_have_is_refused(void **state)
{
    char *dir = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "mask", json_pack("{s:s}", "relu_budget", "10m"),
                      of_teacher);
    stage_folder_give(dir, "teacher", folders[TEACHER]);
    expect_failure(dir, 2, "usage", "10000000");
}

static void
divergence_ends_with_a_numeric_failure_and_keeps_the_checkpoint(void **state)
{
    char *dir = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "teacher",
                      json_pack("{s:f, s:s, s:i}", "teacher_lr", 100.0,
                                "teacher_milestones", "none", "teacher_epochs", 40),
                      none);
    assert_int_equal(stage_folder_run(dir), 10);
    json_t *kept = stage_folder_events(dir, "checkpoint");
    json_t *errors = stage_folder_events(dir, "error");
    const json_t *last = json_array_get(kept, json_array_size(kept) - 1);
    char *path = file_join(dir, json_str(last, "file", "none"));
    assert_string_equal(json_str(json_array_get(errors, 0), "kind", ""), "numeric");
    assert_non_null(strstr(json_str(json_array_get(errors, 0), "text", ""), "epoch"));
    assert_true(json_array_size(kept) >= 1);
    assert_true(file_exists(path));
    free(path);
    json_decref(kept);
    json_decref(errors);
    stage_folder_free(dir);
}

static void
a_bad_parameter_is_said_with_what_is_allowed(void **state)
{
    char *dir = stage_folder_new(), *other = stage_folder_new();

    (void)state;
    stage_folder_spec(dir, "teacher", json_pack("{s:s}", "teacher_milestones", "90,50"),
                      none);
    expect_failure(dir, 2, "usage", "write rising per cents");
    stage_folder_spec(other, "teacher", json_pack("{s:i}", "temperature", 4), none);
    expect_failure(other, 2, "usage", "unknown parameter `temperature`");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sensitivity_run_keeps_the_share_of_weights_that_it_was_told),
        cmocka_unit_test(measured_budgets_are_of_the_same_sum_and_other_layers),
        cmocka_unit_test(models_say_what_they_are),
        cmocka_unit_test(finetuning_keeps_the_masks_and_moves_the_weights),
        cmocka_unit_test(every_epoch_gives_a_point_of_each_curve),
        cmocka_unit_test(evaluation_of_the_student_gives_all_numbers_of_a_report),
        cmocka_unit_test(evaluation_of_the_teacher_counts_all_relus),
        cmocka_unit_test(selection_on_the_test_images_is_named),
        cmocka_unit_test(selection_of_the_last_epoch_keeps_the_last),
        cmocka_unit_test(the_released_rule_leaves_one_relu_less_in_each_layer),
        cmocka_unit_test(a_missing_input_is_named),
        cmocka_unit_test(a_budget_that_the_network_cannot_have_is_refused),
        cmocka_unit_test(a_damaged_input_is_refused),
        cmocka_unit_test(a_model_of_another_kind_is_refused),
        cmocka_unit_test(
            divergence_ends_with_a_numeric_failure_and_keeps_the_checkpoint),
        cmocka_unit_test(a_bad_parameter_is_said_with_what_is_allowed),
    };

    return cmocka_run_group_tests(tests, make_chain, drop_chain);
}
