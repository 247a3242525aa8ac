/* Which stages of a chain a cell has: `skip_when` and `only_when` of the catalogue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/sweep/dag.h"
#include "shared/base/buf.h"

#define PARAM(name, dflt)                                                          \
    "{'name':'" name "','type':'choice','choices':['x','y'],'default':'" dflt "'," \
    "'doc':'d'}"
#define STAGE(name, after, when)                                          \
    "{'name':'" name "','revision':1,'doc':'d','after':[" after "]," when \
    "'params':[" PARAM("p", "x") "," PARAM("q", "y") "]}"

static const char catalog_text[] =
    "{'version':1,'program':'0','methods':[{'name':'m','doc':'d','source':'s','stages':[" STAGE("always", "", "") "," STAGE("unless", "'always'", "'skip_when':{'p':'y'},") "," STAGE(
        "not_by_itself", "'always'",
        "'skip_when':{'p':'x'},") "," STAGE("only", "'always'",
                                            "'only_when':{'q':'x'},") "," STAGE("only_by_itself",
                                                                                "'always'",
                                                                                "'only_when':{'q':'y'},") "," STAGE("leaf",
                                                                                                                    "'always'",
                                                                                                                    "") "]}]}";

static void
read_catalog(struct catalog *out)
{
    char *text = strdup(catalog_text);
    struct err err = {0};
    json_t *doc;

    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    if (json_parse(&doc, text, strlen(text), "catalog", &err) != 0
        || catalog_read(out, doc, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(doc);
    free(text);
}

/* The stages of the only cell of a sweep with these lines. */
static void
expect_stages(const char *lines, const char *expected)
{
    const struct sweep_options options = {.max_cells = 10};
    char *text = xasprintf("name: t\nfixed: {method: m}\n%s", lines);
    struct buf stages = {0};
    struct catalog c;
    struct err err;
    struct sweep *s;

    read_catalog(&c);
    if (sweep_parse(&s, text, strlen(text), "t", &c, &options, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(s->n_cells, 1);
    struct dag *d = dag_build(s);
    for (size_t i = 0; i < d->n_jobs; i++)
        buf_printf(&stages, "%s ", d->jobs[i].of->stage->name);
    assert_string_equal(buf_str(&stages), expected);
    buf_release(&stages);
    dag_free(d);
    sweep_free(s);
    catalog_release(&c);
    free(text);
}

static void
what_is_not_written_is_tested_by_its_default(void **state)
{
    (void)state;
    expect_stages("", "always unless only_by_itself leaf ");
}

static void
what_is_written_is_tested_by_its_value(void **state)
{
    (void)state;
    expect_stages("grid: {p: [y]}", "always not_by_itself only_by_itself leaf ");
    expect_stages("grid: {q: [x]}", "always unless only leaf ");
    expect_stages("grid: {p: [y], q: [x]}", "always not_by_itself only leaf ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_written_is_tested_by_its_default),
        cmocka_unit_test(what_is_written_is_tested_by_its_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
