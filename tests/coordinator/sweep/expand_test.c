/* Golden expansions: the order of the grid, lists and ranges, conditions, exclude and
 * include, several methods, --set, presets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/file.h"
#include "tests/coordinator/sweep/fixture.h"

#define HEAD "name: t\nfixed: {method: rlnet, dataset: fashion-mnist}\n"

/* The values of a cell, borrowed until the next call. */
static const json_t *
cell(const struct sweep *s, size_t i)
{
    static json_t *values;

    json_decref(values);
    values = sweep_cell_json(s, i, false);
    return values;
}

static void
the_last_axis_of_the_file_varies_fastest(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid:\n  temperature: [4, 1]\n  loss: [kl, kl+pram]\n", "",
                    "temperature=4.0 loss=kl\ntemperature=4.0 loss=kl+pram\n"
                    "temperature=1.0 loss=kl\ntemperature=1.0 loss=kl+pram\n");
}

static void
ranges_choices_and_suffixes_are_values(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid: {relu_budget: [10k, 5%, \"range(20k,40k,10k)\"]}\n", "",
                    "relu_budget=10000\nrelu_budget=5%\nrelu_budget=20000\n"
                    "relu_budget=30000\n");
}

static void
range_stops_before_its_end(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid:\n  seed: range(0, 3)\n", "",
                    "seed=0\nseed=1\nseed=2\n");
    fixture_expands(HEAD "grid:\n  lr: range(0.1,0.4,0.1)\n", "",
                    "lr=0.1\nlr=0.2\nlr=0.3\n");
    fixture_expands(HEAD "grid:\n  seed: range(4,0,-2)\n", "", "seed=4\nseed=2\n");
    fixture_expands(HEAD "grid:\n  temperature: choice(1, 8)\n", "",
                    "temperature=1.0\ntemperature=8.0\n");
}

static void
a_conditional_axis_is_absent_where_its_condition_fails(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid:\n  loss: [ce, kl]\n"
                         "  temperature: {values: [1, 4], when: \"loss == kl\"}\n",
                    "", "loss=ce\nloss=kl temperature=1.0\nloss=kl temperature=4.0\n");
}

static void
an_absent_axis_takes_its_default_in_the_jobs(void **state)
{
    struct sweep *s =
        fixture_sweep(HEAD "grid:\n  loss: [ce, kl]\n"
                           "  temperature: {values: [1, 2], when: \"loss == kl\"}\n",
                      "");

    (void)state;
    assert_true(json_num(cell(s, 0), "temperature", 0) == 4.0);
    assert_null(sweep_value(s, 0, "temperature", true));
    sweep_free(s);
}

static void
exclude_drops_what_agrees_in_all_its_keys(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid: {temperature: [4, 1], seed: [0, 1, 2]}\n"
                         "exclude:\n  - {temperature: 1, seed: [1, 2]}\n"
                         "  - {when: \"temperature == 4 and seed == 0\"}\n",
                    "",
                    "temperature=4.0 seed=1\ntemperature=4.0 seed=2\n"
                    "temperature=1.0 seed=0\n");
}

static void
include_comes_after_exclude_and_brings_a_cell_back(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid: {temperature: [4, 1], seed: [0, 1]}\n"
                         "include: [{temperature: 1, seed: 1}]\n"
                         "exclude: [{temperature: 1}]\n",
                    "",
                    "temperature=4.0 seed=0\ntemperature=4.0 seed=1\n"
                    "temperature=1.0 seed=1\n");
}

static void
include_extends_the_cells_that_agree_on_their_axes(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid: {temperature: [4, 1]}\n"
                         "include: [{temperature: 1, lr: 0.2}, {loss: ce}]\n",
                    "", "temperature=4.0\ntemperature=1.0 lr=0.2\n");
}

static void
include_that_agrees_with_none_is_a_cell_on_top_of_fixed(void **state)
{
    struct sweep *s = fixture_sweep(
        "name: t\nfixed: {method: rlnet, dataset: fashion-mnist, lr: 0.3}\n"
        "grid: {temperature: [4, 1]}\ninclude: [{temperature: 2, seed: [5, 6]}]\n",
        "");
    char *cells = fixture_cells(s);

    (void)state;
    assert_string_equal(cells, "temperature=4.0\ntemperature=1.0\n"
                               "temperature=2.0 seed=5\ntemperature=2.0 seed=6\n");
    assert_true(json_num(cell(s, 3), "lr", 0) == 0.3);
    free(cells);
    sweep_free(s);
}

static void
include_of_a_cell_that_is_there_changes_nothing(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid: {temperature: [4, 1]}\ninclude: {temperature: 4}\n", "",
                    "temperature=4.0\ntemperature=1.0\n");
}

static void
without_a_grid_the_includes_are_the_cells(void **state)
{
    (void)state;
    fixture_expands(HEAD "include: [{temperature: 1}, {temperature: 2}]\n", "",
                    "temperature=1.0\ntemperature=2.0\n");
}

static void
cells_that_differ_only_in_skipped_stages_are_one(void **state)
{
    struct sweep *s = fixture_sweep(
        HEAD "grid: {relu_budget: [50k, all], temperature: [4, 1]}\n", "");
    char *cells = fixture_cells(s);

    (void)state;
    assert_string_equal(cells, "relu_budget=50000 temperature=4.0\n"
                               "relu_budget=50000 temperature=1.0\nrelu_budget=all\n");
    assert_null(sweep_value(s, 2, "loss", false));
    assert_string_equal(json_str(cell(s, 2), "relu_budget", ""), "all");
    assert_string_equal(json_str(cell(s, 2), "method", ""), "rlnet");
    free(cells);
    sweep_free(s);
}

static void
methods_take_only_the_parameters_that_they_know(void **state)
{
    (void)state;
    fixture_expands("name: t\nfixed: {dataset: cifar100}\n"
                    "grid: {method: [rlnet, senet], temperature: [1, 4], lam: [0.1]}\n",
                    "",
                    "method=rlnet temperature=1.0\nmethod=rlnet temperature=4.0\n"
                    "method=senet\n");
}

static void
a_list_of_evaluations_is_one_value(void **state)
{
    struct sweep *s =
        fixture_sweep(HEAD "evaluate: [pgd-7, clean]\ngrid: {seed: [0, 1]}\n", "");

    (void)state;
    assert_int_equal(s->n_cells, 2);
    assert_string_equal(json_str(cell(s, 1), "evaluate", ""), "clean,pgd-7");
    assert_int_equal(json_array_size(s->axes), 1);
    sweep_free(s);
}

static void
set_replaces_values_and_several_make_an_axis(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid: {temperature: [4, 1], seed: [0, 1]}\n", "seed=7,8\n",
                    "temperature=4.0 seed=7\ntemperature=4.0 seed=8\n"
                    "temperature=1.0 seed=7\ntemperature=1.0 seed=8\n");
    fixture_expands(HEAD "grid: {temperature: [4, 1]}\n", "seed=range(0,2)\nloss=ce",
                    "temperature=4.0 seed=0\ntemperature=4.0 seed=1\n"
                    "temperature=1.0 seed=0\ntemperature=1.0 seed=1\n");
}

static void
set_of_one_value_keeps_an_axis_an_axis(void **state)
{
    (void)state;
    fixture_expands(HEAD "grid: {temperature: [4, 1]}\ninclude: {temperature: 2}\n",
                    "temperature=8", "temperature=8.0\ntemperature=2.0\n");
}

static void
set_reaches_name_method_and_sets(void **state)
{
    struct sweep *s =
        fixture_sweep(HEAD, "name=other\nmethod=senet\ndataset=cifar100\nlam=0.5");

    (void)state;
    assert_string_equal(s->name, "other");
    assert_string_equal(sweep_part_of(s, 0)->space.method->name, "senet");
    assert_string_equal(json_str(cell(s, 0), "dataset", ""), "cifar100");
    sweep_free(s);
    fixture_expands(HEAD, "method=senet,rlnet", "method=senet\nmethod=rlnet\n");
}

static void
a_preset_lies_under_the_file_and_in_its_text(void **state)
{
    static const char base[] = "fixed: {method: rlnet, dataset: cifar100, lr: 0.5}\n"
                               "grid: {seed: [0, 1]}\nreport: {x: macs, y: CA}\n";
    static const char text[] = "name: t\nbase: base.yaml\nfixed: {lr: 0.25}\n"
                               "grid: {seed: [3]}\nreport: {y: [mCE]}\n";
    const struct sweep_options options = {.max_cells = 10};
    char dir[] = "/tmp/relusweep-sweep-XXXXXX";
    struct err err = {0};
    struct sweep *s;

    (void)state;
    assert_non_null(mkdtemp(dir));
    char *path = file_join(dir, "base.yaml"), *file = file_join(dir, "t.yaml");
    assert_int_equal(file_write(path, base, strlen(base), &err), 0);
    if (sweep_parse(&s, text, strlen(text), file, &fixture_catalog, &options, &err))
        fail_msg("%s", err.text);
    assert_int_equal(s->n_cells, 1);
    assert_int_equal(json_int(cell(s, 0), "seed", -1), 3);
    assert_true(json_num(cell(s, 0), "lr", 0) == 0.25);
    assert_string_equal(json_str(cell(s, 0), "dataset", ""), "cifar100");
    assert_string_equal(json_str(s->report, "x", ""), "macs");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(s->report, "y"), 0)), "mCE");
    assert_non_null(strstr(s->text, "# base: base.yaml\n# fixed: {method: rlnet"));
    sweep_free(s);
    assert_int_equal(file_remove_tree(dir, &err), 0);
    free(path);
    free(file);
}

static void
the_report_has_defaults(void **state)
{
    struct sweep *s = fixture_sweep(HEAD, "");
    char *text = json_canonical(s->report);

    (void)state;
    assert_string_equal(text, "{\"group_over\":\"seed\",\"reference\":[],\"x\":"
                              "\"relus\",\"y\":[\"CA\",\"NPA\",\"AdvA\"]}");
    free(text);
    sweep_free(s);
}

static void
words_that_mislead_are_noted(void **state)
{
    struct sweep *s = fixture_sweep(
        HEAD "grid:\n  seed: [015, 2]\nexclude: [{temperature: 9}]\n", "lr=0x1");

    (void)state;
    assert_int_equal(json_array_size(s->notes), 3);
    assert_string_equal(json_string_value(json_array_get(s->notes, 0)),
                        "t.yaml:4:10: `seed: 015` was read as 15");
    assert_string_equal(json_string_value(json_array_get(s->notes, 1)),
                        "--set lr=0x1: `lr: 0x1` was read as 1.0");
    assert_string_equal(json_string_value(json_array_get(s->notes, 2)),
                        "t.yaml:5:11: this `exclude` drops nothing");
    sweep_free(s);
}

static void
an_ablation_stands_for_the_values_of_its_parameters(void **state)
{
    struct sweep *s = fixture_sweep(HEAD "grid: {ablation: [t5/kl, t5/ce]}\n", "");
    struct dag *d = dag_build(s);
    json_t *first = sweep_cell_json(s, 0, false),
           *second = sweep_cell_json(s, 1, false);

    (void)state;
    assert_int_equal(s->n_cells, 2);
    assert_string_equal(json_str(first, "ablation", ""), "t5/kl");
    assert_string_equal(json_str(first, "loss", ""), "kl");
    assert_true(json_num(first, "temperature", 0) == 2);
    assert_string_equal(json_str(second, "loss", ""), "ce+kl");
    assert_true(json_num(second, "temperature", 0) == 4);
    /* jobs know nothing of the name */
    for (size_t i = 0; i < d->n_jobs; i++) {
        json_t *params = dag_params(d, i);
        assert_null(json_object_get(params, "ablation"));
        json_decref(params);
    }
    json_decref(first);
    json_decref(second);
    dag_free(d);
    sweep_free(s);
}

static void
an_ablation_that_changes_nothing_of_a_cell_is_left_out_of_it(void **state)
{
    (void)state;
    /* `all` skips the stages that read the loss, not the teacher with its rate */
    fixture_expands(HEAD "grid:\n  relu_budget: [all]\n  ablation: [t5/kl, t5/ce]\n",
                    "", "\n");
    fixture_expands(
        HEAD "grid:\n  relu_budget: [all]\n  ablation: [t5/ce, f4/slow, f4/fast]\n", "",
        "\nablation=f4/slow\nablation=f4/fast\n");
}

static void
an_ablation_and_another_value_of_its_parameter_contradict(void **state)
{
    (void)state;
    fixture_fails(
        HEAD "grid: {ablation: [t5/kl], loss: [kl, ce]}\n", "",
        "t.yaml:3:38: `loss` is \"ce\" here, but ablation = t5/kl means loss = "
        "kl; leave one of them out");
    fixture_fails(HEAD "grid: {ablation: [t5/k]}\n", "", "t.yaml:3:19: ...");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_axis_of_the_file_varies_fastest),
        cmocka_unit_test(ranges_choices_and_suffixes_are_values),
        cmocka_unit_test(range_stops_before_its_end),
        cmocka_unit_test(a_conditional_axis_is_absent_where_its_condition_fails),
        cmocka_unit_test(an_absent_axis_takes_its_default_in_the_jobs),
        cmocka_unit_test(exclude_drops_what_agrees_in_all_its_keys),
        cmocka_unit_test(include_comes_after_exclude_and_brings_a_cell_back),
        cmocka_unit_test(include_extends_the_cells_that_agree_on_their_axes),
        cmocka_unit_test(include_that_agrees_with_none_is_a_cell_on_top_of_fixed),
        cmocka_unit_test(include_of_a_cell_that_is_there_changes_nothing),
        cmocka_unit_test(without_a_grid_the_includes_are_the_cells),
        cmocka_unit_test(cells_that_differ_only_in_skipped_stages_are_one),
        cmocka_unit_test(methods_take_only_the_parameters_that_they_know),
        cmocka_unit_test(a_list_of_evaluations_is_one_value),
        cmocka_unit_test(set_replaces_values_and_several_make_an_axis),
        cmocka_unit_test(set_of_one_value_keeps_an_axis_an_axis),
        cmocka_unit_test(set_reaches_name_method_and_sets),
        cmocka_unit_test(a_preset_lies_under_the_file_and_in_its_text),
        cmocka_unit_test(an_ablation_stands_for_the_values_of_its_parameters),
        cmocka_unit_test(an_ablation_that_changes_nothing_of_a_cell_is_left_out_of_it),
        cmocka_unit_test(an_ablation_and_another_value_of_its_parameter_contradict),
        cmocka_unit_test(the_report_has_defaults),
        cmocka_unit_test(words_that_mislead_are_noted),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
