/* methods_test.c - the registry has every file, and the catalogue is one that the other
 * side accepts. */
#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/spec/catalog.h"
#include "shared/spec/job.h"
#include "worker/attacks/attack.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/losses/loss.h"
#include "worker/methods/catalog.h"
#include "worker/methods/method.h"
#include "worker/models/model.h"
#include "worker/pipeline/stage.h"

/* Places in the .c files of a folder below the root where the text stands. */
static int
count_places(const char *folder, const char *text)
{
    char pattern[512];
    glob_t found;
    struct err err;
    int n = 0;

    snprintf(pattern, sizeof pattern, SOURCE_DIR "/%s/*.c", folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buf bytes = {0};
        assert_int_equal(file_read(&bytes, found.gl_pathv[i], &err), 0);
        for (const char *at = buf_str(&bytes); (at = strstr(at, text)) != NULL; at++)
            n++;
        buf_release(&bytes);
    }
    globfree(&found);
    return n;
}

static void
every_file_of_a_method_has_its_line_in_the_registry(void **state)
{
    int n = 0;

    (void)state;
    while (methods[n] != NULL)
        n++;
    assert_int_equal(n,
                     count_places("worker/methods", "\nconst struct method method_"));
}

static void
every_file_of_a_stage_has_its_line_in_the_registry(void **state)
{
    int n = 0;

    (void)state;
    while (stages[n] != NULL)
        n++;
    assert_int_equal(n, count_places("worker/pipeline", "\nconst struct stage stage_"));
}

static void
every_loss_attack_and_corruption_has_its_line_in_the_registry(void **state)
{
    int n_losses = 0, n_attacks = 0, n_corruptions = 0;

    (void)state;
    while (losses[n_losses] != NULL)
        n_losses++;
    while (attacks[n_attacks] != NULL)
        n_attacks++;
    while (corruptions[n_corruptions] != NULL)
        n_corruptions++;
    assert_int_equal(n_losses,
                     count_places("worker/losses", "\nconst struct loss loss_"));
    assert_int_equal(n_attacks,
                     count_places("worker/attacks", "\nconst struct attack attack_"));
    assert_int_equal(
        n_corruptions,
        count_places("worker/data/corrupt", "\nconst struct corruption corruption_"));
}

static void
every_stage_of_a_method_has_a_runner(void **state)
{
    (void)state;
    for (const struct method *const *m = methods; *m != NULL; m++)
        for (size_t i = 0; i < (*m)->n_stages; i++)
            assert_non_null(stage_find((*m)->stages[i].runner));
    assert_ptr_equal(method_find("rlnet"), methods[0]);
    assert_null(method_find("no-such-method"));
}

static struct catalog
read_catalog(void)
{
    json_t *json = catalog_describe();
    struct catalog c;
    struct err err = {0};

    if (catalog_read(&c, json, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(json);
    return c;
}

static void
the_coordinator_accepts_the_catalogue(void **state)
{
    struct catalog c = read_catalog();
    const struct catalog_method *m = catalog_find_method(&c, "rlnet");

    (void)state;
    assert_non_null(m);
    assert_int_equal(m->n_stages, 5);
    assert_string_equal(m->stages[0].name, "teacher");
    assert_string_equal(catalog_find_stage(m, "mask")->skip_value, "all");
    assert_non_null(catalog_find_param(m, "relu_budget"));
    for (size_t i = 0; i < m->n_stages; i++) /* a success of each is worth something */
        assert_true(json_array_size(m->stages[i].gives) >= 3);
    assert_true(catalog_gives_metric(m, "AdvA"));
    catalog_release(&c);
}

static void
the_parameters_that_the_design_fixes_are_there(void **state)
{
    const char *const names[] = {"dataset", "model", "relu_budget", "temperature",
                                 "loss",    "seed",  "evaluate"};
    struct catalog c = read_catalog();
    const struct catalog_method *m = catalog_find_method(&c, "rlnet");

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(catalog_find_param(m, names[i]));
    assert_int_equal(catalog_find_param(m, "evaluate")->type, PARAM_SET);
    catalog_release(&c);
}

static int
stage_has(const struct method *m, const char *stage, const char *param)
{
    const struct method_stage *s = method_find_stage(m, stage);

    return param_find(s->params, s->n_params, param) != NULL;
}

static void
a_stage_depends_on_no_more_than_changes_its_numbers(void **state)
{
    const struct method *m = method_find("rlnet");

    (void)state;
    assert_false(stage_has(m, "teacher", "relu_budget"));
    assert_false(stage_has(m, "teacher", "temperature"));
    assert_false(stage_has(m, "teacher", "loss"));
    assert_false(stage_has(m, "teacher", "attack")); /* of the student */
    assert_true(stage_has(m, "teacher", "attack_steps"));
    assert_false(stage_has(m, "teacher", "mask_epochs"));
    assert_false(stage_has(m, "mask", "loss"));
    assert_false(stage_has(m, "mask", "teacher_epochs"));
    assert_true(stage_has(m, "mask", "relu_budget"));
    assert_true(stage_has(m, "finetune", "temperature"));
    assert_false(stage_has(m, "evaluate", "loss"));
}

static void
budgets_reach_from_one_relu_a_layer_to_all_of_them(void **state)
{
    struct catalog c = read_catalog();
    const struct {
        const char *budget;
        int rc;
    } rows[] = {{"17", 0}, {"557056", 0}, {"16", -1}, {"557057", -1}, {"all", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *cell = json_pack("{s:s, s:s, s:s}", "model", "resnet18", "dataset",
                                 "fashion-mnist", "relu_budget", rows[i].budget);
        struct err err;
        assert_int_equal(catalog_check_limits(&c, cell, NULL, &err), rows[i].rc);
        json_decref(cell);
    }
    catalog_release(&c);
}

static void
what_a_stage_would_refuse_is_refused_in_the_plan(void **state)
{
    struct catalog c = read_catalog();
    const char *const cells[][7] = {
        {"needs batch of at least 3", "bn", "triple", NULL},
        {"needs bn = single", "teacher_loss", "ce+6*trades", "bn", "dual", NULL},
        {"needs attack_steps = 0 or 7", "attack", "pgd-7", "attack_steps", "9", NULL},
        {"needs relu_budget = 50000", "budgets", "released/resnet18-50k", "relu_budget",
         "60000", NULL},
        {"needs model = resnet18 or resnet34 or wrn-22-8", "budgets", "released",
         "model", "resnet10-w8", NULL},
        {NULL, "budgets", "released/resnet18-50k", "relu_budget", "50000", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        json_t *values = json_pack("{s:i}", "batch", 2);
        struct err err = {0};
        for (int k = 1; cells[i][k] != NULL; k += 2)
            json_object_set_new(values, cells[i][k], json_string(cells[i][k + 1]));
        const int rc = catalog_check_limits(&c, values, NULL, &err);
        assert_int_equal(rc, cells[i][0] != NULL ? -1 : 0);
        if (rc != 0 && strstr(err.text, cells[i][0]) == NULL)
            fail_msg("`%s` does not say `%s`", err.text, cells[i][0]);
        json_decref(values);
    }
    catalog_release(&c);
}

/* 13.5 passes of the network for a loader sample (methods.md 4.7), less the teacher's on
 * the adversarial half, which no term reads. */
static void
the_work_of_a_full_run_is_that_of_the_papers(void **state)
{
    struct catalog c = read_catalog();
    const struct catalog_method *m = catalog_find_method(&c, "rlnet");
    json_t *cell = json_pack("{s:s, s:s, s:s}", "model", "resnet18", "dataset",
                             "cifar100", "relu_budget", "50000");
    json_t *spec = job_spec_build(m, catalog_find_stage(m, "finetune"), cell, NULL);
    const double work = catalog_work(&c, catalog_find_stage(m, "finetune"),
                                     json_object_get(spec, "params"));

    (void)state;
    assert_true(fabs(work / (240 * 50000.0 * 13 * 555468800) - 1) < 1e-6);
    json_decref(spec);
    json_decref(cell);
    catalog_release(&c);
}

static void
specs_built_from_the_catalogue_are_taken_by_the_stages(void **state)
{
    struct catalog c = read_catalog();
    const struct catalog_method *m = catalog_find_method(&c, "rlnet");
    json_t *cell = json_pack("{s:s, s:s, s:s}", "model", "resnet18", "dataset",
                             "fashion-mnist", "relu_budget", "50000");
    struct err err;

    (void)state;
    for (size_t i = 0; i < m->n_stages; i++) {
        const struct method_stage *s = &method_find("rlnet")->stages[i];
        json_t *spec = job_spec_build(m, &m->stages[i], cell, NULL);
        struct stage_config config = {0};
        assert_int_equal(job_spec_check(spec, &err), 0);
        assert_int_equal(param_apply(s->params, s->n_params,
                                     json_object_get(spec, "params"), &config, s->name,
                                     &err),
                         0);
        assert_string_equal(config.model, "resnet18");
        json_decref(spec);
    }
    json_decref(cell);
    catalog_release(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_a_method_has_its_line_in_the_registry),
        cmocka_unit_test(every_file_of_a_stage_has_its_line_in_the_registry),
        cmocka_unit_test(every_loss_attack_and_corruption_has_its_line_in_the_registry),
        cmocka_unit_test(every_stage_of_a_method_has_a_runner),
        cmocka_unit_test(the_coordinator_accepts_the_catalogue),
        cmocka_unit_test(the_parameters_that_the_design_fixes_are_there),
        cmocka_unit_test(a_stage_depends_on_no_more_than_changes_its_numbers),
        cmocka_unit_test(budgets_reach_from_one_relu_a_layer_to_all_of_them),
        cmocka_unit_test(what_a_stage_would_refuse_is_refused_in_the_plan),
        cmocka_unit_test(the_work_of_a_full_run_is_that_of_the_papers),
        cmocka_unit_test(specs_built_from_the_catalogue_are_taken_by_the_stages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
