/* Catalogues: what a good one gives, and that each kind of bad one is refused. */
#include "shared/spec/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] =
    "{'version':1,'program':'0.1.0','methods':[{'name':'rlnet','doc':'d','source':'s',"
    "'presets':{'param':'row','doc':'d','choices':["
    "{'name':'t1/a','doc':'d','sets':{'epochs':'5','relu_budget':'20'}},"
    "{'name':'t1/b','doc':'d','sets':{'epochs':'6'}}]},"
    "'stages':["
    "{'name':'teacher','revision':1,'after':[],'only_when':{'model':'r10'},"
    "'work':[{'passes':3,'of':['epochs','images'],'when':{'model':'r10'}},"
    "{'passes':1,'of':['epochs'],'when':{}}],'gives':["
    "{'artifact':'net','when':{}},{'metric':'CA','when':{}},"
    "{'metric':'AdvA','when':{'evaluate':'pgd'}},{'metric':'class/*/CA'}],'params':["
    "{'name':'model','type':'choice','choices':['r10','r18'],'doc':'net'},"
    "{'name':'epochs','type':'int','default':'3','min':1,'max':100,'doc':'n'}]},"
    "{'name':'mask','revision':2,'after':['teacher'],'skip_when':{'relu_budget':'all'},"
    "'params':["
    "{'name':'model','type':'choice','choices':['r10','r18'],'doc':'net'},"
    "{'name':'relu_budget','type':'budget','doc':'kept'}]}]}],"
    "'limits':[{'param':'relu_budget','by':['model'],'unit':'ReLUs',"
    "'table':{'r10':{'min':10,'max':1000}}},"
    "{'param':'images','plus':['held'],'by':['dataset'],'unit':'images',"
    "'table':{'d':{'max':50}}}],"
    "'needs':[{'when':{'loss':'kl'},'param':'epochs','min':4},"
    "{'when':{'loss':'kl','model':'r18'},'param':'dataset','in':['d','e']},"
    "{'when':{'loss':'ce'},'param':'dataset','in':[]}],"
    "'work':{'macs_per_second':10,'macs':{'r10/d':7},'images':{'images':{'d':50}}}}";

/* JSON with ' for ". */
static json_t *
parse(const char *text)
{
    char *copy = strdup(text);
    json_error_t je;

    for (char *c = copy; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    json_t *json = json_loads(copy, 0, &je);
    if (json == NULL)
        fail_msg("%s in %s", je.text, text);
    free(copy);
    return json;
}

static int
set_up(void **state)
{
    struct catalog *c = calloc(1, sizeof *c);
    json_t *json = parse(good);
    struct err err = {0};

    if (catalog_read(c, json, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(json); /* the catalogue keeps its own reference */
    *state = c;
    return 0;
}

static int
tear_down(void **state)
{
    catalog_release(*state);
    free(*state);
    return 0;
}

static void
methods_stages_and_parameters_are_found(void **state)
{
    const struct catalog *c = *state;
    const struct catalog_method *m = catalog_find_method(c, "rlnet");

    assert_non_null(m);
    assert_null(catalog_find_method(c, "snl"));
    const struct catalog_stage *s = catalog_find_stage(m, "mask");
    assert_int_equal(s->revision, 2);
    assert_int_equal(s->n_after, 1);
    assert_string_equal(s->after[0], "teacher");
    assert_string_equal(s->skip_param, "relu_budget");
    assert_string_equal(catalog_find_param(m, "epochs")->dflt, "3");
    assert_null(catalog_find_param(m, "epoch"));
    assert_string_equal(catalog_nearest_param(m, "epoch"), "epochs");
    assert_string_equal(catalog_nearest_param(m, "relu_buget"), "relu_budget");
    assert_null(catalog_nearest_param(m, "zzzzzz"));
}

static void
budgets_are_held_against_the_network(void **state)
{
    static const struct {
        const char *budget;
        int rc;
        const char *text;
    } cases[] = {
        {"10", 0, ""},
        {"1000", 0, ""},
        {"all", 0, ""},
        {"1%", 0, ""},
        {"1001", -1, "1000 ReLUs"},
        {"9", -1, "10 ReLUs"},
        {"0.5%", -1, "10 ReLUs"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *values =
            json_pack("{s:s, s:s}", "model", "r10", "relu_budget", cases[i].budget);
        const char *param = NULL;
        struct err err = {0};
        assert_int_equal(catalog_check_limits(*state, values, &param, &err),
                         cases[i].rc);
        assert_non_null(strstr(err.text, cases[i].text));
        if (cases[i].rc != 0)
            assert_string_equal(param, "relu_budget");
        json_decref(values);
    }
}

static void
limits_that_do_not_concern_a_cell_are_silent(void **state)
{
    json_t *other = json_pack("{s:s, s:s}", "model", "r18", "relu_budget", "999999");
    json_t *none = json_object();
    struct err err;

    assert_int_equal(catalog_check_limits(*state, other, NULL, &err), 0);
    assert_int_equal(catalog_check_limits(*state, none, NULL, &err), 0);
    json_decref(other);
    json_decref(none);
}

static void
presets_are_a_parameter_with_the_texts_of_others(void **state)
{
    const struct catalog *c = *state;
    const struct catalog_method *m = &c->methods[0];

    assert_ptr_equal(catalog_find_param(m, "row"), &m->presets->param);
    assert_string_equal(m->presets->param.choices[1], "t1/b");
    assert_string_equal(json_str(m->presets->sets[0], "epochs", ""), "5");
    assert_string_equal(catalog_nearest_param(m, "rov"), "row");
}

/* The cell (JSON with ') must be refused with this text, or (NULL) taken. */
static void
expect_cell(const struct catalog *c, const char *cell, const char *text)
{
    json_t *values = parse(cell);
    struct err err = {0};
    const int rc = catalog_check_limits(c, values, NULL, &err);

    if (rc != (text != NULL ? -1 : 0)
        || (text != NULL && strstr(err.text, text) == NULL))
        fail_msg("%s: `%s`", cell, err.text);
    json_decref(values);
}

static void
values_that_do_not_go_together_are_refused(void **state)
{
    const struct catalog *c = *state;

    expect_cell(c, "{'loss':'0.5*kl+pram','epochs':4}", NULL);
    expect_cell(c, "{'loss':'0.5*kl+pram','epochs':3}",
                "loss = kl needs epochs of at least 4, not 3");
    expect_cell(c, "{'loss':'pram','epochs':3}", NULL);
    expect_cell(c, "{'loss':'kl','model':'r18','dataset':'f'}",
                "loss = kl, model = r18 needs dataset = d or e, not f");
    expect_cell(c, "{'loss':'kl','model':'r18','dataset':'e'}", NULL);
    expect_cell(c, "{'loss':'ce','dataset':'d'}", "loss = ce goes with no dataset");
}

static void
a_limit_may_be_on_a_sum(void **state)
{
    const struct catalog *c = *state;

    expect_cell(c, "{'dataset':'d','images':30,'held':20}", NULL);
    expect_cell(c, "{'dataset':'d','images':31,'held':20}",
                "images + held = 51 is above the 50 images that d has");
}

static double
work(const struct catalog *c, const char *params)
{
    json_t *values = parse(params);
    const double w = catalog_work(c, &c->methods[0].stages[0], values);

    json_decref(values);
    return w;
}

static void
the_work_of_a_job_is_the_sum_of_the_rows_that_hold(void **state)
{
    const struct catalog *c = *state;

    assert_true(work(c, "{'model':'r10','dataset':'d','epochs':2,'images':10}")
                == (3 * 2 * 10 + 2) * 7);
    /* 0 images are all of them, and there are no more */
    assert_true(work(c, "{'model':'r10','dataset':'d','epochs':1,'images':0}")
                == (3 * 50 + 1) * 7);
    assert_true(work(c, "{'model':'r10','dataset':'d','epochs':1,'images':99}")
                == (3 * 50 + 1) * 7);
    assert_true(work(c, "{'model':'r18','dataset':'d','epochs':1}") == -1);
    assert_true(catalog_speed(c) == 10);
    assert_null(c->methods[0].stages[1].work);
}

static bool
is_other(const void *ctx, const char *name)
{
    return strcmp(ctx, name) != 0;
}

static const char *
lacks(const struct catalog *c, const char *kind, const char *params, const char *absent)
{
    const struct catalog_stage *s = &c->methods[0].stages[0];
    json_t *p = parse(params);
    const char *name = catalog_lacks(s->gives, p, kind, is_other, absent);

    json_decref(p);
    return name;
}

static void
a_result_lacks_what_its_stage_must_give(void **state)
{
    const struct catalog *c = *state;
    const struct catalog_method *m = &c->methods[0];

    assert_string_equal(lacks(c, "artifact", "{}", "net"), "net");
    assert_null(lacks(c, "artifact", "{}", "CA"));
    assert_string_equal(lacks(c, "metric", "{}", "CA"), "CA");
    assert_null(lacks(c, "metric", "{}", "AdvA"));
    assert_null(lacks(c, "metric", "{'evaluate':'clean'}", "AdvA"));
    assert_string_equal(lacks(c, "metric", "{'evaluate':'clean,pgd'}", "AdvA"), "AdvA");
    assert_null(lacks(c, "metric", "{}", "class/*/CA")); /* may be there */
    assert_true(catalog_declares_metrics(m));
    assert_true(catalog_gives_metric(m, "class/3/CA"));
    assert_false(catalog_gives_metric(m, "class/3/4/CA"));
    assert_false(catalog_gives_metric(m, "net"));
    assert_string_equal(catalog_nearest_metric(m, "AdvB"), "AdvA");
}

/* `good` with one piece replaced must be refused with `text`. */
static void
refuse(const char *piece, const char *with, enum err_kind kind, const char *text)
{
    const char *at = strstr(good, piece);
    struct catalog c;
    struct err err = {0};
    char bad[4096];

    assert_non_null(at);
    snprintf(bad, sizeof bad, "%.*s%s%s", (int)(at - good), good, with,
             at + strlen(piece));
    json_t *json = parse(bad);
    assert_int_equal(catalog_read(&c, json, &err), -1);
    assert_int_equal(err.kind, kind);
    if (strstr(err.text, text) == NULL)
        fail_msg("`%s` is not in: %s", text, err.text);
    json_decref(json);
}

static void
bad_catalogues_are_refused_with_the_reason(void **state)
{
    (void)state;
    refuse("'version':1", "'version':2", ERR_REFUSED, "version 2");
    refuse("'version':1,", "", ERR_DATA, "not a catalogue");
    refuse("'name':'rlnet'", "'name':'a/b'", ERR_DATA, "`a/b`");
    refuse("'name':'rlnet',", "", ERR_DATA, "`name` is missing");
    refuse("'name':'mask'", "'name':'teacher'", ERR_DATA, "twice");
    refuse("'after':['teacher']", "'after':['evaluate']", ERR_DATA, "evaluate");
    refuse("'after':[]", "'after':['mask']", ERR_DATA, "no stage before it");
    refuse("'revision':2", "'revision':0", ERR_DATA, "revision");
    refuse("'default':'3'", "'default':'many'", ERR_DATA, "default of stage teacher");
    refuse("'default':'3'", "'default':'300'", ERR_DATA, "outside");
    refuse("'type':'int'", "'type':'matrix'", ERR_DATA, "matrix");
    refuse("'choices':['r10','r18'],'doc':'net'},{'name':'relu",
           "'choices':['r10'],'doc':'net'},{'name':'relu", ERR_DATA, "differently");
    refuse("'skip_when':{'relu_budget'", "'skip_when':{'budget'", ERR_DATA,
           "skip_when");
    refuse("'name':'epochs'", "'name':'model'", ERR_DATA, "twice");
    refuse("'only_when':{'model'", "'only_when':{'net'", ERR_DATA, "only_when");
    refuse("'artifact':'net'", "'thing':'net'", ERR_DATA, "neither");
    refuse("'artifact':'net'", "'artifact':'net','metric':'net'", ERR_DATA, "neither");
    refuse("'param':'row'", "'param':'model'", ERR_DATA, "twice");
    refuse("'sets':{'epochs':'6'}", "'sets':{'epoch':'6'}", ERR_DATA, "no parameter");
    refuse("'sets':{'epochs':'6'}", "'sets':{'epochs':'600'}", ERR_DATA,
           "preset `t1/b`");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(methods_stages_and_parameters_are_found),
        TEST(budgets_are_held_against_the_network),
        TEST(limits_that_do_not_concern_a_cell_are_silent),
        TEST(presets_are_a_parameter_with_the_texts_of_others),
        TEST(values_that_do_not_go_together_are_refused),
        TEST(a_limit_may_be_on_a_sum),
        TEST(the_work_of_a_job_is_the_sum_of_the_rows_that_hold),
        TEST(a_result_lacks_what_its_stage_must_give),
        cmocka_unit_test(bad_catalogues_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
