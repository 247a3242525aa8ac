/* Parameter tables: spellings, ranges, errors that help. */
#include "shared/base/param.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"

struct config {
    bool verbose;
    int64_t batch;
    double lr;
    const char *name, *mode, *budget, *views, *loss, *at;
};

static const char *const modes[] = {"paper", "released", NULL};
static const char *const views[] = {"clean", "aug", "adv", NULL};
static const char *const terms[] = {"ce", "kl", "pram", NULL};

static const struct param table[] = {
    PARAM_ROW_BOOL(struct config, verbose, "false", "talk"),
    PARAM_ROW_INT(struct config, batch, "128", 1, 1e6, "images"),
    PARAM_ROW_REAL(struct config, lr, "0.05", 0, 10, "rate"),
    PARAM_ROW_STRING(struct config, name, "", "text"),
    PARAM_ROW_CHOICE(struct config, mode, "released", modes, "variant"),
    PARAM_ROW_BUDGET(struct config, budget, "all", "ReLUs"),
    PARAM_ROW_SET(struct config, views, "clean", views, "images"),
    PARAM_ROW_SUM(struct config, loss, "ce", terms, "terms"),
    PARAM_ROW_PERCENTS(struct config, at, "none", "of the epochs"),
};
enum { N = sizeof table / sizeof table[0] };

/* Canonical text of `text` read as parameter `name`; NULL when it is refused. */
static char *
canonical(const char *name, const char *text, struct err *err)
{
    json_t *v = NULL;

    if (param_read(&v, param_find(table, N, name), text, err) != 0)
        return NULL;
    char *out = json_canonical(v);
    json_decref(v);
    return out;
}

static void
spellings_of_one_value_are_equal(void **state)
{
    static const char *const cases[][3] = {
        {"batch", "50k", "50000"},
        {"batch", "1e3", "1000"},
        {"lr", "8/255", "0.03137254901960784"},
        {"lr", "0.050", "0.05"},
        {"lr", "1", "1.0"},
        {"lr", "-0", "0.0"},
        {"budget", "50k", "\"50000\""},
        {"budget", "1.5m", "\"1500000\""},
        {"budget", "10.0%", "\"10%\""},
        {"budget", "all", "\"all\""},
        {"views", "adv, clean", "\"clean,adv\""},
        {"loss", "pram + 0.50*ce", "\"0.5*ce+pram\""},
        {"loss", "2/3*ce+1/4*pram", "\"0.6666666666666666*ce+0.25*pram\""},
        {"at", "62.50, 75,87.5", "\"62.5,75,87.5\""},
        {"at", "none", "\"none\""},
        {"verbose", "true", "true"},
        {"mode", "paper", "\"paper\""},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got = canonical(cases[i][0], cases[i][1], &err);
        assert_non_null(got);
        assert_string_equal(got, cases[i][2]);
        free(got);
    }
}

static void
wrong_values_are_refused_with_help(void **state)
{
    static const char *const cases[][3] = {
        {"batch", "0", "outside 1 .. 1000000"},
        {"batch", "1.5", "whole number"},
        {"batch", "many", "not a number"},
        {"batch", "", "not a number"},
        {"batch", "12x", "not a number"},
        {"lr", "1/0", "not a number"},
        {"lr", "nan", "number"},
        {"lr", "inf", "not a number"},
        {"mode", "releasd", "did you mean `released`?"},
        {"mode", "zzz", "choices: paper, released"},
        {"budget", "0", "ReLU budget"},
        {"budget", "101%", "ReLU budget"},
        {"budget", "-5", "ReLU budget"},
        {"views", "clean,clean", "twice"},
        {"views", "clean,", "cannot be read"},
        {"loss", "x*ce", "weight"},
        {"loss", "ce+", "cannot be read"},
        {"loss", "1/0*ce", "weight"},
        {"at", "90,50", "rising per cents"},
        {"at", "100", "rising per cents"},
        {"at", "50,", "rising per cents"},
        {"at", "", "rising per cents"},
        {"at", "50;60", "no number"},
        {"verbose", "yes", "true or false"},
        {"name", "\xff", "UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err err = {0};
        char *got = canonical(cases[i][0], cases[i][1], &err);
        if (got != NULL)
            fail_msg("%s = `%s` gave %s", cases[i][0], cases[i][1], got);
        assert_int_equal(err.kind, ERR_USAGE);
        if (strstr(err.text, cases[i][2]) == NULL)
            fail_msg("`%s` is not in: %s", cases[i][2], err.text);
    }
}

static void
a_config_is_filled_with_values_and_defaults(void **state)
{
    json_t *values =
        json_pack("{s:i, s:s, s:s}", "batch", 64, "lr", "8/255", "mode", "paper");
    struct config c;
    struct err err;

    (void)state;
    assert_int_equal(param_apply(table, N, values, &c, "test", &err), 0);
    assert_false(c.verbose);
    assert_int_equal(c.batch, 64);
    assert_true(fabs(c.lr - 8.0 / 255) < 1e-15);
    assert_string_equal(c.mode, "paper");
    assert_string_equal(c.budget, "all");
    json_decref(values);
}

static void
an_unknown_member_is_named_with_the_nearest_one(void **state)
{
    json_t *values = json_pack("{s:i}", "bach", 64);
    struct config c;
    struct err err;

    (void)state;
    assert_int_equal(param_apply(table, N, values, &c, "test", &err), -1);
    assert_non_null(strstr(err.text, "`bach`"));
    assert_non_null(strstr(err.text, "`batch`"));
    json_decref(values);
}

static void
a_required_parameter_must_be_there(void **state)
{
    const struct param required[] = {
        PARAM_ROW_STRING(struct config, name, NULL, "who it is")};
    json_t *values = json_object();
    struct config c;
    struct err err;

    (void)state;
    assert_int_equal(param_apply(required, 1, values, &c, "test", &err), -1);
    assert_non_null(strstr(err.text, "`name` is required (who it is)"));
    json_decref(values);
}

static void
a_table_survives_the_way_through_json(void **state)
{
    json_t *rows = param_table_to_json(table, N), *again;
    struct arena mem = {0};
    struct param *copy;
    struct err err;
    size_t n;

    (void)state;
    assert_int_equal(param_table_from_json(&copy, &n, rows, &mem, &err), 0);
    assert_int_equal(n, N);
    again = param_table_to_json(copy, n);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(copy[i].type, table[i].type);
        assert_string_equal(copy[i].name, table[i].name);
    }
    assert_int_equal(json_array_size(again), N);
    assert_true(copy[1].max == 1e6);
    assert_string_equal(copy[7].choices[2], "pram");
    json_decref(rows);
    json_decref(again);
    arena_release(&mem);
}

static void
items_of_a_sum_come_with_their_weights(void **state)
{
    const char *cursor = "0.5*ce+kl";
    char name[8];
    double weight;

    (void)state;
    assert_true(param_next_item(&cursor, name, sizeof name, &weight));
    assert_string_equal(name, "ce");
    assert_true(weight == 0.5);
    assert_true(param_next_item(&cursor, name, sizeof name, &weight));
    assert_string_equal(name, "kl");
    assert_true(isnan(weight));
    assert_false(param_next_item(&cursor, name, sizeof name, &weight));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings_of_one_value_are_equal),
        cmocka_unit_test(wrong_values_are_refused_with_help),
        cmocka_unit_test(a_config_is_filled_with_values_and_defaults),
        cmocka_unit_test(an_unknown_member_is_named_with_the_nearest_one),
        cmocka_unit_test(a_required_parameter_must_be_there),
        cmocka_unit_test(a_table_survives_the_way_through_json),
        cmocka_unit_test(items_of_a_sum_come_with_their_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
