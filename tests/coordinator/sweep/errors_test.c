/* Every error of a sweep file, with its exact line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/clock.h"
#include "tests/coordinator/sweep/fixture.h"

#define HEAD "name: t\nfixed: {method: rlnet, dataset: fashion-mnist}\n"

static void
unknown_keys_name_the_nearest(void **state)
{
    (void)state;
    fixture_fails("name: t\ngird: {seed: [1]}\n", "",
                  "t.yaml:2:1: unknown key `gird`; did you mean `grid`?");
    fixture_fails(HEAD "report: {z: 1}\n", "",
                  "t.yaml:3:10: unknown key `z` in `report`; did you mean `x`?");
    fixture_fails(HEAD "grid:\n  temprature: [1]\n", "",
                  "t.yaml:4:3: unknown parameter `temprature` of method rlnet; did you "
                  "mean `temperature`?");
    fixture_fails(HEAD "exclude: [{sed: 1}]\n", "",
                  "t.yaml:3:12: unknown parameter `sed` of method rlnet; did you mean "
                  "`seed`?");
    fixture_fails(HEAD "include:\n- {los: kl}\n", "",
                  "t.yaml:4:4: unknown parameter `los` of method rlnet; did you mean "
                  "`loss`?");
    fixture_fails(HEAD "grid: {seed: {value: [1]}}\n", "",
                  "t.yaml:3:15: unknown key `value`; an axis is...");
}

static void
unknown_values_tell_the_choices(void **state)
{
    (void)state;
    fixture_fails("name: t\nfixed:\n  method: rlnet\n  dataset: cifar10\n", "",
                  "t.yaml:4:12: dataset = `cifar10` is not known; did you mean "
                  "`cifar100`?; choices: fashion-mnist, cifar100, synthetic");
    fixture_fails(HEAD "grid: {loss: [kl, kx]}\n", "",
                  "t.yaml:3:19: loss = `kx` is not known...");
    fixture_fails(HEAD "evaluate: [clean, pgd-9]\n", "",
                  "t.yaml:3:11: evaluate = `pgd-9`...");
    fixture_fails(HEAD "grid: {temperature: [4, warm]}\n", "",
                  "t.yaml:3:25: `warm` is not a number...");
    fixture_fails(HEAD "grid: {seed: [-1]}\n", "",
                  "t.yaml:3:15: seed = -1 is outside 0 .. 1000000 (seed)");
    fixture_fails(HEAD "grid: {seed: [1_000]}\n", "",
                  "t.yaml:3:15: `1_000` is not a number...");
    fixture_fails(HEAD "grid: {half_batch: [on]}\n", "",
                  "t.yaml:3:21: half_batch = `on`; write true or false");
    fixture_fails(HEAD "grid: {relu_budget: [5o]}\n", "",
                  "t.yaml:3:22: relu_budget = `5o` is not a ReLU budget...");
}

static void
method_and_required_parameters_are_asked_for(void **state)
{
    (void)state;
    fixture_fails("name: t\nfixed: {dataset: cifar100}\n", "",
                  "t.yaml:1:1: `method` is missing; write fixed: {method: rlnet}");
    fixture_fails(
        "name: t\nfixed: {method: rlnt}\n", "",
        "t.yaml:2:17: unknown method `rlnt`; did you mean `rlnet`?; there are: rlnet, senet");
    fixture_fails("name: t\nfixed: {method: zzzzz}\n", "",
                  "t.yaml:2:17: unknown method `zzzzz`; there are: rlnet, senet");
    fixture_fails("name: t\ngrid: {method: [rlnet, rlnet]}\n", "",
                  "t.yaml:2:24: method `rlnet` stands here twice");
    fixture_fails("name: t\nfixed: {method: rlnet}\n", "",
                  "t.yaml:1:1: parameter `dataset` is missing (images); put it under "
                  "`fixed` or `grid`");
    fixture_fails(HEAD "exclude: [{method: rlnt, seed: 1}]\n", "",
                  "t.yaml:3:20: this is no known method");
}

static void
names_are_checked(void **state)
{
    (void)state;
    fixture_fails("fixed: {method: rlnet}\n", "",
                  "t.yaml:1:1: key `name` is missing; results are kept under it");
    fixture_fails("name: a/b\n", "", "t.yaml:1:7: name `a/b` may hold letters...");
    fixture_fails("name: \"\"\n", "", "t.yaml:1:7: a name has 1 to 64 characters");
    fixture_fails("name: [a]\n", "", "t.yaml:1:7: `name` must be a word, not a list");
    fixture_fails("- a\n", "", "t.yaml:1:1: a sweep file is a map of keys, not a list");
    fixture_fails("", "", "t.yaml:1:1: key `name` is missing...");
}

static void
nothing_stands_twice(void **state)
{
    (void)state;
    fixture_fails(HEAD "name: u\n", "",
                  "t.yaml:3:1: key `name` is already there in line 1");
    fixture_fails(HEAD "grid: {dataset: [cifar100]}\n", "",
                  "t.yaml:3:8: `dataset` is already under `fixed` in line 2");
    fixture_fails(HEAD "grid:\n  relu_budget: [50k, 9k,\n    50000]\n", "",
                  "t.yaml:5:5: `relu_budget` has the value \"50000\" twice");
    fixture_fails("name: t\nevaluate: clean\ngrid: {evaluate: [clean]}\n", "",
                  "t.yaml:2:1: `evaluate` is also under `grid`, in line 3");
}

static void
sections_have_their_shapes(void **state)
{
    (void)state;
    fixture_fails(HEAD "grid: [seed]\n", "",
                  "t.yaml:3:7: `grid` must be a map, not a list");
    fixture_fails(HEAD "grid: {}\n", "", "t.yaml:3:7: `grid` is empty...");
    fixture_fails(HEAD "grid: {seed: []}\n", "",
                  "t.yaml:3:14: `seed` has an empty list of values");
    fixture_fails(HEAD "grid:\n  seed:\n", "",
                  "t.yaml:4:8: `seed` has no value (seed)");
    fixture_fails(HEAD "grid: {seed: [[1]]}\n", "",
                  "t.yaml:3:15: `seed`: a list cannot be a value");
    fixture_fails("name: t\nfixed: {method: rlnet, seed: [1, 2]}\n", "",
                  "t.yaml:2:30: `seed` has 2 values; several go under `grid`");
    fixture_fails(
        HEAD "exclude: [7]\n", "",
        "t.yaml:3:11: an element of `exclude` is a map like {temperature: 1}");
    fixture_fails(HEAD "report: {y: {a: b}}\n", "",
                  "t.yaml:3:13: `y` must be a list, not a map");
    fixture_fails(
        HEAD "report: {group_over: sed}\n", "",
        "t.yaml:3:22: `group_over: sed` is no parameter; did you mean `seed`?");
    fixture_fails(HEAD "report: {y: [CA, AdvB]}\n", "",
                  "t.yaml:3:18: `AdvB` is no metric that a stage gives; did you mean "
                  "`AdvA`?");
    fixture_fails(HEAD "report: {x: relu}\n", "",
                  "t.yaml:3:13: `relu` is no metric that a stage gives; did you mean "
                  "`relus`?");
    fixture_fails(HEAD "grid: {seed: {when: \"loss == kl\"}}\n", "",
                  "t.yaml:3:14: axis `seed` has no `values`");
}

static void
calls_are_checked(void **state)
{
    (void)state;
    fixture_fails(
        HEAD "grid: {seed: range(0,3)}\n", "",
        "t.yaml:3:14: `range(0` has no closing parenthesis at its end; inside "
        "{ } and [ ] a comma ends a word, so put the whole in quotes");
    fixture_fails(HEAD "grid:\n  seed: range(3)\n", "",
                  "t.yaml:4:9: `range(3)` needs two bounds");
    fixture_fails(HEAD "grid:\n  seed: range(0,3,0)\n", "",
                  "t.yaml:4:9: `range(0,3,0)` has a step of 0");
    fixture_fails(HEAD "grid:\n  seed: range(3,0)\n", "",
                  "t.yaml:4:9: `range(3,0)` is empty");
    fixture_fails(HEAD "grid:\n  seed: range(a,b)\n", "",
                  "t.yaml:4:9: `range(a,b)`: write...");
    fixture_fails(HEAD "grid:\n  seed: choice(1,,2)\n", "",
                  "t.yaml:4:9: `choice(1,,2)` has an empty choice");
}

static void
conditions_may_only_look_back(void **state)
{
    (void)state;
    fixture_fails(HEAD "grid:\n  temperature: {values: [1], when: \"loss == kl\"}\n"
                       "  loss: [kl, ce]\n",
                  "",
                  "t.yaml:4:36: the condition of `temperature` reads `loss`, which "
                  "comes later; move it above");
    fixture_fails(
        HEAD "grid:\n  seed: {values: [1], when: \"seed == 1\"}\n", "",
        "t.yaml:4:29: the condition of `seed` reads `seed`, which is the axis "
        "itself");
    fixture_fails(HEAD "grid:\n  seed: {values: [1], when: \"los == kl\"}\n", "",
                  "t.yaml:4:30: condition `los == kl`: `los` is no parameter...");
}

static void
budgets_must_fit_the_network(void **state)
{
    (void)state;
    fixture_fails(HEAD "grid: {relu_budget: [50k, 600k]}\n", "", "t.yaml:3:27: ...");
    fixture_fails(HEAD "grid: {relu_budget: [16]}\n", "", "t.yaml:3:22: ...");
    fixture_fails(HEAD "include:\n  - {relu_budget: 600k}\n", "", "t.yaml:4:19: ...");
    fixture_fails(HEAD, "relu_budget=600k", "--set relu_budget=600k: ...");
}

static void
huge_grids_are_refused_by_arithmetic(void **state)
{
    const double start = clock_mono_s();

    (void)state;
    fixture_fails(
        HEAD "grid:\n  seed: range(0,1000000)\n  lr: range(0,1,0.000001)\n", "",
        "t.yaml:4:3: the grid has 1e+12 cells, more than the limit of 100000; "
        "make it smaller, or raise --max-cells");
    fixture_fails(HEAD "include: [{seed: \"range(0,1000000)\"}]\n", "",
                  "t.yaml:3:11: this element has 1e+06 cells...");
    assert_true(clock_mono_s() - start < 0.01);
}

static void
an_exclude_that_leaves_nothing_is_an_error(void **state)
{
    (void)state;
    fixture_fails(HEAD "grid: {seed: [1, 2]}\nexclude: [{seed: [1, 2]}]\n", "",
                  "t.yaml:4:10: no cell is left; `exclude` drops the whole grid");
}

static void
set_options_are_checked_like_the_file(void **state)
{
    (void)state;
    fixture_fails(HEAD, "seed", "--set seed: write --set key=value or --set key=v1,v2");
    fixture_fails(HEAD, "sed=1",
                  "--set sed=1: unknown parameter `sed` of method rlnet; "
                  "did you mean `seed`?");
    fixture_fails(HEAD, "loss=kl\nseed=1,x", "--set seed=1,x: `x` is not a number...");
    fixture_fails(HEAD, "seed=1,,2", "--set seed=1,,2: `seed` has no value (seed)");
    fixture_fails(HEAD, "name=a b", "--set name=a b: name `a b` may hold letters...");
}

static void
a_preset_that_is_not_there_is_an_error_at_its_name(void **state)
{
    (void)state;
    fixture_fails("name: t\nbase: nowhere.yaml\n", "", "t.yaml:2:7: ...");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_keys_name_the_nearest),
        cmocka_unit_test(unknown_values_tell_the_choices),
        cmocka_unit_test(method_and_required_parameters_are_asked_for),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(nothing_stands_twice),
        cmocka_unit_test(sections_have_their_shapes),
        cmocka_unit_test(calls_are_checked),
        cmocka_unit_test(conditions_may_only_look_back),
        cmocka_unit_test(budgets_must_fit_the_network),
        cmocka_unit_test(huge_grids_are_refused_by_arithmetic),
        cmocka_unit_test(an_exclude_that_leaves_nothing_is_an_error),
        cmocka_unit_test(set_options_are_checked_like_the_file),
        cmocka_unit_test(a_preset_that_is_not_there_is_an_error_at_its_name),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
