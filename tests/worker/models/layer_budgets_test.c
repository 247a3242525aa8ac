/* layer_budgets_test.c - the rule gives the released lists, exactly and within bounds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/models/model.h"
#include "worker/models/released_budgets.h"

enum { MAX_LAYERS = 64 };

struct layers {
    int n;
    int64_t size[MAX_LAYERS];
    double eta[MAX_LAYERS];
    struct graph *g;
};

static struct layers
layers_of(const char *name, int64_t image)
{
    const struct model *model = model_find(name);
    const struct model_config config = {
        .classes = 10, .c = 3, .h = image, .w = image, .std = {1, 1, 1}, .bn_paths = 2};
    struct layers l = {.g = model->build(&config)};

    l.n = graph_n_masks(l.g);
    for (int i = 0; i < l.n; i++) {
        const struct graph_shape s = graph_mask_shape(l.g, i);
        l.size[i] = s.c * s.h * s.w;
    }
    model->sensitivity(l.eta, l.n);
    return l;
}

/* Largest distance of the rule's counts from a list of fractions (scale 0: of counts). */
static double
distance(const char *name, int64_t image, int64_t budget, const double *list)
{
    struct layers l = layers_of(name, image);
    int64_t count[MAX_LAYERS], sum = 0;
    struct err err;
    double worst = 0;

    assert_int_equal(model_layer_budgets(count, l.eta, l.size, l.n, budget, &err), 0);
    for (int i = 0; i < l.n; i++) {
        const double want = list[i] <= 1 ? list[i] * (double)l.size[i] : list[i];
        worst = fmax(worst, fabs((double)count[i] - want));
        assert_true(count[i] >= 1 && count[i] <= l.size[i]);
        sum += count[i];
    }
    assert_int_equal(sum, budget);
    graph_free(l.g);
    return worst;
}

static void
the_released_lists_come_out_of_the_rule(void **state)
{
    static const double r18_100k[] = {.00967, .0313, .036, .04236, .0466, .12,
                                      .165,   .172,  .188, .45555, .5505, .56,
                                      .583,   1,     1,    1,      1};
    static const double r18_120k[] = {.012, .040, .046, .055, .060, .155,
                                      .214, .223, .244, .59,  .714, .726,
                                      .756, 1,    1,    1,    1};
    static const double tiny_150k[] = {
        857.4,   2781.0,  3192.9,  3759.7,  4137.6,  5322.8,  7325.2,  7652.5, 8351.4,
        10108.2, 12214.8, 12415.0, 12934.9, 14114.3, 14853.0, 14979.5, 15000.0};

    (void)state;
    /* the published eta have four digits; the eighth layer is 14.6 units off, all others
     * less than 8 */
    assert_true(distance("resnet18", 32, 100000, r18_100k) <= 15);
    assert_true(distance("resnet18", 32, 120000, r18_120k) <= 50);
    assert_true(distance("resnet18", 64, 150000, tiny_150k) <= 2);
}

static void
every_budget_between_one_a_layer_and_all_is_met_exactly(void **state)
{
    const char *const names[] = {"resnet18", "resnet34", "wrn-22-8", "resnet10-w8"};

    (void)state;
    for (int m = 0; m < 4; m++) {
        struct layers l = layers_of(names[m], 32);
        const int64_t all = graph_relus(l.g);
        const int64_t budgets[] = {l.n,     l.n + 1, 2 * l.n, 1000,
                                   all / 2, all - 1, all,     all / 7};
        for (int b = 0; b < 8; b++) {
            int64_t count[MAX_LAYERS], sum = 0;
            struct err err;
            assert_int_equal(
                model_layer_budgets(count, l.eta, l.size, l.n, budgets[b], &err), 0);
            for (int i = 0; i < l.n; i++) {
                assert_true(count[i] >= 1 && count[i] <= l.size[i]);
                sum += count[i];
            }
            assert_int_equal(sum, budgets[b]);
        }
        graph_free(l.g);
    }
}

static void
a_budget_that_cannot_be_spread_is_refused_with_its_bounds(void **state)
{
    struct layers l = layers_of("resnet18", 32);
    int64_t count[MAX_LAYERS];
    struct err err;

    (void)state;
    assert_int_equal(model_layer_budgets(count, l.eta, l.size, l.n, 16, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_int_equal(model_layer_budgets(count, l.eta, l.size, l.n, 557057, &err), -1);
    assert_non_null(strstr(err.text, "557056"));
    graph_free(l.g);
}

static void
relatives_of_another_depth_read_the_curve_between_its_points(void **state)
{
    double eta[9], whole[17];

    (void)state;
    model_find("resnet10-w16")->sensitivity(eta, 9);
    model_find("resnet18-w16")->sensitivity(whole, 17);
    for (int l = 0; l < 9; l++)
        assert_true(fabs(eta[l] - whole[2 * l]) < 1e-12);
    model_find("resnet10-w16")->sensitivity(eta, 3);
    assert_true(fabs(eta[1] - 0.5568) < 1e-12);
    assert_true(eta[2] == 1.0);
}

static void
budgets_are_counts_shares_or_all(void **state)
{
    struct layers l = layers_of("resnet18", 32);
    int64_t n;
    struct err err;

    (void)state;
    assert_int_equal(model_resolve_budget(&n, "50000", l.g, &err), 0);
    assert_int_equal(n, 50000);
    assert_int_equal(model_resolve_budget(&n, "10%", l.g, &err), 0);
    assert_int_equal(n, 55706);
    assert_int_equal(model_resolve_budget(&n, "all", l.g, &err), 0);
    assert_int_equal(n, 557056);
    assert_int_equal(model_resolve_budget(&n, "16", l.g, &err), -1);
    assert_int_equal(model_resolve_budget(&n, "600k", l.g, &err), -1);
    assert_non_null(strstr(err.text, "557056"));
    assert_int_equal(model_resolve_budget(&n, "lots", l.g, &err), -1);
    assert_int_equal(model_resolve_budget(&n, "0%", l.g, &err), -1);
    assert_int_equal(model_resolve_budget(&n, "10%x", l.g, &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    graph_free(l.g);
}

static int64_t
released_sum(const char *name, const char *model, int64_t image)
{
    const struct released_budgets *list = released_budgets_find(name, "", "", 0);
    struct layers l = layers_of(model, image);
    int64_t count[MAX_LAYERS], sum = 0;
    struct err err;

    assert_non_null(list);
    assert_int_equal(released_budgets_counts(count, list, l.size, l.n, &err), 0);
    for (int i = 0; i < l.n; i++)
        sum += count[i];
    graph_free(l.g);
    return sum;
}

/* Each layer's share rounds down, so the sums are up to a unit a layer below those of
 * the shares (25,330; 49,971; 82,657; 99,988; 119,767; 148,898; ...). */
static void
released_lists_keep_as_many_units_as_their_shares_say(void **state)
{
    (void)state;
    assert_int_equal(released_sum("released/resnet18-25k", "resnet18", 32), 25321);
    assert_int_equal(released_sum("released/resnet18-50k", "resnet18", 32), 49967);
    assert_int_equal(released_sum("released/resnet18-82k", "resnet18", 32), 82650);
    assert_int_equal(released_sum("released/resnet18-100k", "resnet18", 32), 99982);
    assert_int_equal(released_sum("released/resnet18-120k", "resnet18", 32), 119762);
    assert_int_equal(released_sum("released/resnet18-150k", "resnet18", 32), 148892);
    assert_int_equal(released_sum("released/resnet34-80k", "resnet34", 32), 79965);
    assert_int_equal(released_sum("released/resnet34-200k", "resnet34", 32), 200139);
    assert_int_equal(released_sum("released/wrn-22-8-240k", "wrn-22-8", 32), 239426);
    assert_int_equal(released_sum("released/wrn-22-8-300k", "wrn-22-8", 32), 299305);
    assert_int_equal(released_sum("released/resnet18-64-150k", "resnet18", 64), 149993);
    assert_int_equal(released_sum("released/resnet18-64-300k", "resnet18", 64), 299994);
}

static void
released_alone_means_the_list_of_network_budget_and_image_size(void **state)
{
    const struct released_budgets *small =
        released_budgets_find("released", "resnet18", "150000", 32);
    const struct released_budgets *large =
        released_budgets_find("released", "resnet18", "150000", 64);
    struct layers other = layers_of("resnet34", 32);
    int64_t count[MAX_LAYERS];
    struct err err;

    (void)state;
    assert_string_equal(small->name, "released/resnet18-150k");
    assert_string_equal(large->name, "released/resnet18-64-150k");
    assert_null(released_budgets_find("released", "resnet18", "151000", 32));
    assert_null(released_budgets_find("eta", "resnet18", "150000", 32));
    assert_int_equal(released_budgets_counts(count, small, other.size, other.n, &err),
                     -1);
    assert_non_null(strstr(err.text, "this network has 33"));
    graph_free(other.g);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_lists_keep_as_many_units_as_their_shares_say),
        cmocka_unit_test(
            released_alone_means_the_list_of_network_budget_and_image_size),
        cmocka_unit_test(the_released_lists_come_out_of_the_rule),
        cmocka_unit_test(every_budget_between_one_a_layer_and_all_is_met_exactly),
        cmocka_unit_test(a_budget_that_cannot_be_spread_is_refused_with_its_bounds),
        cmocka_unit_test(relatives_of_another_depth_read_the_curve_between_its_points),
        cmocka_unit_test(budgets_are_counts_shares_or_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
