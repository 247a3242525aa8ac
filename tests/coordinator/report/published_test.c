/* published_test.c - the tables of other people's numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/report/published.h"

static struct published
all(void)
{
    struct published p;
    struct err err = {0};

    if (published_init(&p, &err) != 0)
        fail_msg("%s", err.text);
    return p;
}

static void
every_value_has_its_paper_and_table(void **state)
{
    struct published p = all();

    (void)state;
    assert_int_equal(p.n, 474);
    for (size_t i = 0; i < p.n; i++) {
        assert_true(p.rows[i].paper[0] != '\0' && p.rows[i].table[0] != '\0');
        assert_true(isfinite(p.rows[i].value));
        assert_string_not_equal(published_citation(p.rows[i].paper), p.rows[i].paper);
    }
    published_release(&p);
}

/* The value of RLNet's Table 1 for this row; NaN when there is none. */
static double
table1(const struct published *p, const char *model, const char *method, double relus,
       const char *metric)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct published_row *r = &p->rows[i];
        if (strcmp(r->paper, "RLNet_CVPRW2024") == 0 && strcmp(r->table, "1") == 0
            && r->our_dataset != NULL && strcmp(r->our_dataset, "cifar100") == 0
            && r->our_model != NULL && strcmp(r->our_model, model) == 0
            && strcmp(r->method, method) == 0 && r->relus == relus
            && r->our_metric != NULL && strcmp(r->our_metric, metric) == 0)
            return r->our_value;
    }
    return NAN;
}

static void
values_agree_with_the_paper_in_our_units(void **state)
{
    struct published p = all();

    (void)state;
    assert_true(table1(&p, "resnet18", "RLNet", 50000, "CA") == 74.87);
    assert_true(table1(&p, "resnet18", "SENet", 100000, "AdvA") == 0.09);
    assert_true(fabs(table1(&p, "wrn-22-8", "RLNet", 300000, "mCE") - 33) < 1e-9);
    assert_true(isnan(table1(&p, "resnet34", "RLNet", 50000, "CA")));
    published_release(&p);
}

static void
quoted_fields_and_ranges_of_budgets_are_read(void **state)
{
    struct published p = all();
    size_t quoted = 0, ranges = 0;

    (void)state;
    for (size_t i = 0; i < p.n; i++) {
        quoted += strcmp(p.rows[i].method, "GB, final classifier") == 0;
        ranges += p.rows[i].relu_k[0] == '>' && isnan(p.rows[i].relus);
    }
    assert_int_equal(quoted, 8);
    assert_true(ranges > 0);
    published_release(&p);
}

static void
every_curve_has_points_and_only_of_its_own_table(void **state)
{
    static const char *const sets[] = {"cifar10", "cifar100", "tiny-imagenet"};
    static const char *const nets[] = {"resnet18", "resnet34", "wrn-22-8"};
    struct published p = all();

    (void)state;
    for (const struct published_curve *c = published_curves; c->key != NULL; c++) {
        size_t n = 0;
        for (size_t i = 0; i < p.n * 9; i++) {
            const struct published_row *row = &p.rows[i / 9];
            if (!published_is_on(row, c, sets[i % 3], nets[i / 3 % 3], "CA"))
                continue;
            assert_string_equal(row->paper, c->paper);
            assert_string_equal(row->state, "PR");
            n++;
        }
        if (n == 0)
            fail_msg("curve %s has no points", c->key);
    }
    published_release(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_its_paper_and_table),
        cmocka_unit_test(values_agree_with_the_paper_in_our_units),
        cmocka_unit_test(quoted_fields_and_ranges_of_budgets_are_read),
        cmocka_unit_test(every_curve_has_points_and_only_of_its_own_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
