/* bench_test.c - every stage can be measured, and the numbers belong together. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "shared/base/json.h"
#include "worker/pipeline/bench.h"

static struct bench_config
config_of(const char *stage, const char *backend, int64_t threads)
{
    return (struct bench_config){.stage = stage,
                                 .model = "resnet10-w8",
                                 .backend = backend,
                                 .batch = 5,
                                 .threads = threads,
                                 .classes = 10,
                                 .size = 16,
                                 .seconds = 0.01,
                                 .json = true};
}

static json_t *
measure_with(const struct bench_config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    json_t *result;
    struct err err;

    if (bench_run(config, stdin, out, &err) != 0)
        fail_msg("%s", err.text);
    fclose(out);
    if (json_parse(&result, text, size, "bench", &err) != 0)
        fail_msg("%s", err.text);
    free(text);
    return result;
}

static json_t *
measure(const char *stage, const char *backend, int64_t threads)
{
    const struct bench_config config = config_of(stage, backend, threads);

    return measure_with(&config);
}

static void
the_loader_is_measured_alone(void **state)
{
    json_t *r = measure("loader", "auto", 1);

    (void)state;
    assert_true(json_num(r, "images_per_second", 0) > 0);
    assert_true(json_num(r, "gflops", -1) == 0);
    json_decref(r);
}

static void
every_stage_gives_one_object_whose_numbers_agree(void **state)
{
    const char *const stages[] = {"teacher", "mask", "finetune", "ce", "eval"};

    (void)state;
    for (int i = 0; i < 5; i++) {
        json_t *r = measure(stages[i], i % 2 ? "blas" : "auto", 1 + i % 2);
        const double rate = json_num(r, "images_per_second", 0);
        const double steps = (double)json_int(r, "steps", 0);
        assert_string_equal(json_str(r, "stage", ""), stages[i]);
        assert_true(steps >= 1);
        assert_true(fabs(rate * json_num(r, "seconds", 0) / (5 * steps) - 1) < 1e-3);
        assert_true(json_num(r, "gflops", 0) > 0);
        assert_true(json_int(r, "peak_rss_bytes", 0) > 1 << 20);
        json_decref(r);
    }
}

static void
operations_are_those_of_the_passes(void **state)
{
    json_t *eval = measure("eval", "blas", 1), *ce = measure("ce", "blas", 1);
    const double one =
        json_num(eval, "gflops", 0) / json_num(eval, "images_per_second", 1);
    const double three =
        json_num(ce, "gflops", 0) / json_num(ce, "images_per_second", 1);

    (void)state;
    assert_true(fabs(three / one - 3) < 1e-3);
    json_decref(eval);
    json_decref(ce);
}

/* Two threads are busy or waiting all the time, and all passes of the step are there. */
static void
a_profile_accounts_for_the_whole_step(void **state)
{
    struct bench_config config = config_of("finetune", "auto", 2);
    size_t i;
    json_t *row;
    double ms = 0, gflop = 0;

    (void)state;
    config.profile = true;
    json_t *r = measure_with(&config);
    const double steps = (double)json_int(r, "steps", 0);
    const double step_ms = 1e3 * json_num(r, "seconds", 0) / steps;
    json_array_foreach(json_object_get(r, "profile"), i, row)
    {
        ms += json_num(row, "ms", 0);
        gflop += json_num(row, "gflop", 0);
        assert_true(json_num(row, "ms", -1) >= 0);
    }
    assert_true(fabs(ms / (2 * step_ms) - 1) < 0.05);
    assert_true(fabs(gflop / (json_num(r, "gflops", 0) * step_ms / 1e3) - 1) < 0.05);
    json_decref(r);
}

static void
paced_it_measures_once_for_each_line(void **state)
{
    struct bench_config config = config_of("eval", "auto", 1);
    char lines[] = "\nagain\nhalf a line", *text = NULL;
    FILE *in = fmemopen(lines, sizeof lines - 1, "r");
    size_t size, results = 0;
    FILE *out = open_memstream(&text, &size);
    struct err err;

    (void)state;
    config.paced = true;
    assert_int_equal(bench_run(&config, in, out, &err), 0);
    fclose(out);
    fclose(in);
    for (size_t i = 0; i < size; i++)
        results += text[i] == '\n';
    assert_int_equal(results, 2);
    free(text);
}

static void
an_unknown_stage_or_backend_is_refused(void **state)
{
    struct bench_config config = {.stage = "evaluate", .model = "resnet10-w8"};
    struct err err;

    (void)state;
    assert_int_equal(bench_run(&config, stdin, stdout, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    config.stage = "eval";
    config.backend = "cuda9";
    config.threads = 1;
    assert_int_equal(bench_run(&config, stdin, stdout, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_gives_one_object_whose_numbers_agree),
        cmocka_unit_test(the_loader_is_measured_alone),
        cmocka_unit_test(operations_are_those_of_the_passes),
        cmocka_unit_test(a_profile_accounts_for_the_whole_step),
        cmocka_unit_test(paced_it_measures_once_for_each_line),
        cmocka_unit_test(an_unknown_stage_or_backend_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
