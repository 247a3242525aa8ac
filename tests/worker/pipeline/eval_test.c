/* eval_test.c - parts of an evaluation, their answers on disk, and their metrics. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "worker/methods/gives.h"
#include "worker/pipeline/eval_file.h"
#include "worker/pipeline/eval_metrics.h"
#include "worker/pipeline/network.h"

enum { IMAGES = 40, CLASSES = 4 };
static const char file[] = "eval_test.safetensors";

/* Labels 0 1 2 3 0 1 2 3 ... */
static struct dataset
make_test(void)
{
    struct dataset d = {.n = IMAGES, .c = 3, .h = 1, .w = 1, .classes = CLASSES};

    d.images = xcalloc(IMAGES, 3);
    d.labels = xcalloc(IMAGES, sizeof *d.labels);
    for (int i = 0; i < IMAGES; i++)
        d.labels[i] = (uint16_t)(i % CLASSES);
    return d;
}

static const struct stage_config everything = {
    .evaluate = "clean,corruptions,fgsm,pgd-7,apgd-ce",
    .corruption_kinds = "all",
    .attack_paths = "clean,adv",
    .eval_eps = 8.0 / 255,
    .restarts = 1,
    .corruption_images = 20,
};

static struct eval_parts
make_parts(const struct stage_config *c, int bn_paths)
{
    struct dataset test = make_test();
    struct eval_parts p;
    struct err err;

    if (eval_parts_init(&p, c, &test, bn_paths, &err) != 0)
        fail_msg("%s", err.text);
    dataset_release(&test);
    return p;
}

/* Every part is done; `wrong` of its first images are wrong. */
static void
answer(struct eval_parts *p, const char *prefix, int64_t wrong)
{
    for (size_t i = 0; i < p->n; i++) {
        struct eval_part *part = &p->items[i];
        if (strncmp(part->name, prefix, strlen(prefix)) != 0)
            continue;
        part->done = part->n;
        for (int64_t j = 0; j < part->done; j++)
            part->right[j] = j >= wrong;
    }
}

static double
value_of(const struct eval_metrics *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->items[i].name, name) == 0)
            return m->items[i].value;
    return (double)NAN;
}

static void
expect(const struct eval_metrics *m, const char *name, double want)
{
    if (!(fabs(value_of(m, name) - want) < 1e-9))
        fail_msg("%s is %.12g, not %.12g", name, value_of(m, name), want);
}

/* ---- parts ----------------------------------------------------------------------- */

static void
each_part_runs_on_the_batch_norm_of_its_images(void **state)
{
    struct eval_parts dual = make_parts(&everything, 2);
    struct eval_parts triple = make_parts(&everything, 3);
    struct eval_parts single = make_parts(&everything, 1);

    (void)state;
    assert_int_equal(eval_parts_find(&dual, "clean")->path, 0);
    assert_int_equal(eval_parts_find(&dual, "corruption/brightness/2")->path, 0);
    assert_int_equal(eval_parts_find(&dual, "attack/pgd-7/0")->path, 0);
    assert_int_equal(eval_parts_find(&dual, "attack/pgd-7/1")->path, 1);
    assert_int_equal(eval_parts_find(&triple, "corruption/contrast/5")->path, 1);
    assert_int_equal(eval_parts_find(&triple, "attack/apgd-ce/1")->path, 2);
    assert_int_equal(eval_parts_find(&single, "attack/apgd-ce/1")->path, 0);
    eval_parts_release(&dual);
    eval_parts_release(&triple);
    eval_parts_release(&single);
}

static void
chosen_corruptions_and_attacks_are_measured_and_no_others(void **state)
{
    struct stage_config c = everything;

    (void)state;
    c.evaluate = "corruptions,pgd-20";
    c.corruption_kinds = "contrast,pixelate";
    c.attack_paths = "adv";
    c.eval_eps = 0.25;
    c.eval_step = 0.125;
    c.eval_steps = 3;
    c.restarts = 2;
    struct eval_parts p = make_parts(&c, 2);
    assert_int_equal(p.n, 2 * CORRUPTION_SEVERITIES + 1);
    const struct eval_part *a = eval_parts_find(&p, "attack/pgd-20/1");
    assert_true(a->attack_config.eps == 0.25 && a->attack_config.step == 0.125);
    assert_int_equal(a->attack_config.steps, 3);
    assert_int_equal(eval_parts_passes(&p), 10 * 20 + IMAGES * 2 * (2 * 3 + 1));
    assert_null(eval_parts_find(&p, "clean"));
    eval_parts_release(&p);
}

static void
more_images_than_there_are_are_refused(void **state)
{
    struct stage_config c = everything;
    struct dataset test = make_test();
    struct eval_parts p;
    struct err err;

    (void)state;
    c.attack_images = IMAGES + 1;
    assert_int_equal(eval_parts_init(&p, &c, &test, 2, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    eval_parts_release(&p);
    dataset_release(&test);
}

/* ---- answers on disk ------------------------------------------------------------- */

static void
answers_come_back_as_they_were(void **state)
{
    struct eval_parts a = make_parts(&everything, 2), b = make_parts(&everything, 2);
    struct err err;

    (void)state;
    answer(&a, "clean", 3);
    answer(&a, "attack/fgsm", 7);
    a.items[1].done = 5;
    a.items[1].right[4] = 1;
    assert_int_equal(eval_file_save(&a, "job", file, &err), 0);
    assert_int_equal(eval_file_load(&b, "job", file, &err), 0);
    for (size_t i = 0; i < a.n; i++) {
        assert_int_equal(a.items[i].done, b.items[i].done);
        assert_memory_equal(a.items[i].right, b.items[i].right, a.items[i].n);
    }
    eval_parts_release(&a);
    eval_parts_release(&b);
}

static void
expect_refused(struct eval_parts *p, const char *job, const char *says)
{
    struct err err;

    assert_int_equal(eval_file_load(p, job, file, &err), -1);
    assert_int_equal(err.kind, ERR_DATA);
    if (strstr(err.text, says) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, says);
    assert_int_equal(eval_parts_passes_done(p), 0);
}

static void
answers_of_another_job_or_of_other_images_are_refused(void **state)
{
    struct eval_parts a = make_parts(&everything, 2);
    struct stage_config other = everything;
    struct err err;

    (void)state;
    answer(&a, "clean", 0);
    assert_int_equal(eval_file_save(&a, "job", file, &err), 0);
    eval_parts_release(&a);
    struct eval_parts b = make_parts(&everything, 2);
    expect_refused(&b, "another", "another job");
    eval_parts_release(&b);
    other.corruption_images = 16;
    struct eval_parts c = make_parts(&other, 2);
    expect_refused(&c, "job", "images/corrupted");
    eval_parts_release(&c);
    other = everything;
    other.evaluate = "pgd-7";
    struct eval_parts d = make_parts(&other, 2);
    expect_refused(&d, "job", "`clean` does not fit");
    eval_parts_release(&d);
}

static void
a_damaged_file_is_refused_at_every_length(void **state)
{
    struct eval_parts a = make_parts(&everything, 2), b = make_parts(&everything, 2);
    struct err err;

    (void)state;
    answer(&a, "clean", 1);
    assert_int_equal(eval_file_save(&a, "job", file, &err), 0);
    const off_t size = 1800;
    for (off_t n = size; n >= 0; n -= 7) {
        assert_int_equal(truncate(file, n), 0);
        expect_refused(&b, "job", "");
    }
    a.items[0].right[0] = 2;
    assert_int_equal(eval_file_save(&a, "job", file, &err), 0);
    expect_refused(&b, "job", "holds 2");
    eval_parts_release(&a);
    eval_parts_release(&b);
}

/* ---- metrics --------------------------------------------------------------------- */

static struct eval_metrics
metrics_of(const struct eval_parts *p, const char *dataset)
{
    struct dataset test = make_test();
    struct eval_metrics m = {0};

    eval_metrics_of_parts(&m, p, &test, dataset);
    dataset_release(&test);
    return m;
}

static void
accuracies_are_shares_of_all_images_and_of_each_class(void **state)
{
    struct eval_parts p = make_parts(&everything, 2);

    (void)state;
    answer(&p, "clean", 5); /* wrong: labels 0 1 2 3 0 */
    answer(&p, "attack/pgd-7/1", 30);
    answer(&p, "attack/pgd-7/0", 40);
    struct eval_metrics m = metrics_of(&p, "cifar10");
    expect(&m, "CA", 87.5);
    expect(&m, "class/0/CA", 80);
    expect(&m, "class/3/CA", 90);
    expect(&m, "AdvA", 25);
    expect(&m, "attack/pgd-7/1", 25);
    expect(&m, "attack/pgd-7/0", 0);
    expect(&m, "class/1/AdvA", 20);
    assert_true(isnan(value_of(&m, "NPA"))); /* not measured */
    assert_true(isnan(value_of(&m, "attack/fgsm/1")));
    eval_metrics_release(&m);
    eval_parts_release(&p);
}

/* Severities first, then corruptions; the baseline's errors are those of the paper. */
static void
corruption_errors_are_means_of_means(void **state)
{
    struct stage_config c = everything;

    (void)state;
    c.corruption_kinds = "brightness,contrast";
    struct eval_parts p = make_parts(&c, 2);
    answer(&p, "corruption/brightness", 4); /* of 20: 80 % right */
    answer(&p, "corruption/contrast", 10);
    answer(&p, "corruption/contrast/5", 20); /* mean (4 * 50 + 0) / 5 = 40 */
    struct eval_metrics cifar = metrics_of(&p, "cifar10");
    struct eval_metrics tiny = metrics_of(&p, "tiny-imagenet");
    expect(&cifar, "corruption/contrast/mean", 40);
    expect(&cifar, "corruption/contrast/5", 0);
    expect(&cifar, "corruptions", 2);
    expect(&cifar, "NPA", 60);
    expect(&cifar, "mCE", 40);
    expect(&tiny, "NPA", 60);
    expect(&tiny, "mCE/plain", 40);
    expect(&tiny, "mCE", (20 / 0.6800 + 60 / 0.8939) / 2);
    eval_metrics_release(&cifar);
    eval_metrics_release(&tiny);
    eval_parts_release(&p);
}

static void
every_metric_has_a_row_of_the_contract_and_no_row_hides_another(void **state)
{
    const char *const names[] = {"CA",
                                 "class/17/CA",
                                 "corruption/fog/3",
                                 "corruption/fog/mean",
                                 "attack/apgd-ce/1",
                                 "relus/layer/3",
                                 "mCE/plain"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(gives_metric("evaluate", names[i]));
    assert_null(gives_metric("evaluate", "class//CA"));
    assert_null(gives_metric("evaluate", "class/1/CA/x"));
    assert_null(gives_metric("evaluate", "corruption/fog"));
    assert_null(gives_metric("evaluate", "answers")); /* an artifact */
    assert_null(gives_metric("mask", "CA"));
    for (const struct gives_row *r = gives_rows; r->name != NULL; r++)
        if (r->unit != NULL && strstr(r->runners, "evaluate") != NULL)
            assert_ptr_equal(gives_metric("evaluate", r->name), r);
}

/* The published logs of ResNet18 have 4,986,594 bytes of shares, 9.0 a number that
 * enters a linear layer (methods.md 11). */
static void
a_network_is_counted_as_in_the_published_run(void **state)
{
    static const struct dataset shape = {
        .c = 3, .h = 32, .w = 32, .classes = 100, .std = {1, 1, 1}};
    struct network_config config = {.model = "resnet18",
                                    .data = &shape,
                                    .role = MODEL_STUDENT,
                                    .bn_paths = 2,
                                    .max_batch = 1};
    struct eval_metrics m = {0};
    struct net *n;
    struct err err;

    (void)state;
    config.team = team_new(1);
    assert_int_equal(backend_find(&config.backend, "auto", &err), 0);
    assert_int_equal(network_new(&n, &config, &err), 0);
    eval_metrics_of_network(&m, n);
    expect(&m, "relus", 557056);
    expect(&m, "relus_total", 557056);
    expect(&m, "relu_saving", 1);
    expect(&m, "relus/layer/0", 65536);
    expect(&m, "relus/layer/16", 8192);
    expect(&m, "macs", 555468800);
    assert_true(fabs(9 * value_of(&m, "linear_inputs") / 4986594 - 1) < 5e-3);
    eval_metrics_release(&m);
    net_free(n);
    team_free(config.team);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_runs_on_the_batch_norm_of_its_images),
        cmocka_unit_test(chosen_corruptions_and_attacks_are_measured_and_no_others),
        cmocka_unit_test(more_images_than_there_are_are_refused),
        cmocka_unit_test(answers_come_back_as_they_were),
        cmocka_unit_test(answers_of_another_job_or_of_other_images_are_refused),
        cmocka_unit_test(a_damaged_file_is_refused_at_every_length),
        cmocka_unit_test(accuracies_are_shares_of_all_images_and_of_each_class),
        cmocka_unit_test(corruption_errors_are_means_of_means),
        cmocka_unit_test(
            every_metric_has_a_row_of_the_contract_and_no_row_hides_another),
        cmocka_unit_test(a_network_is_counted_as_in_the_published_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
