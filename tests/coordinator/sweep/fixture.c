/* fixture.c - a catalogue and the helpers that the sweep tests share. */
#include "tests/coordinator/sweep/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"

struct catalog fixture_catalog;

#define DATASET                                                     \
    "{'name':'dataset','type':'choice','choices':['fashion-mnist'," \
    "'cifar100','synthetic'],'doc':'images'}"
#define MODEL                                                                \
    "{'name':'model','type':'choice','choices':['resnet18','resnet10-w16']," \
    "'default':'resnet18','doc':'network'}"
#define SEED \
    "{'name':'seed','type':'int','default':'0','min':0,'max':1000000,'doc':'seed'}"
#define LR                                                          \
    "{'name':'lr','type':'real','default':'0.05','min':0,'max':10," \
    "'doc':'rate'}"
#define TEACHER DATASET "," MODEL "," SEED "," LR
#define BUDGET \
    "{'name':'relu_budget','type':'budget','default':'50k','doc':'ReLUs to keep'}"
#define TEMPERATURE                                                          \
    "{'name':'temperature','type':'real','default':'4','min':0.1,'max':100," \
    "'doc':'of the softmax'}"
#define LOSS                                                                   \
    "{'name':'loss','type':'sum','choices':['ce','kl','pram'],'default':'kl'," \
    "'doc':'terms'}"
#define EVALUATE                                                                 \
    "{'name':'evaluate','type':'set','choices':['clean','corruptions','pgd-7']," \
    "'default':'clean','doc':'what to measure'}"
#define HALF \
    "{'name':'half_batch','type':'bool','default':'true','doc':'split the batch'}"
#define SKIP "'skip_when':{'relu_budget':'all'},"

static const char catalog_text[] =
    "{'version':1,'program':'0.1.0','methods':["
    "{'name':'rlnet','doc':'robust','source':'paper','presets':{'param':'ablation',"
    "'doc':'rows','choices':["
    "{'name':'t5/kl','doc':'d','sets':{'loss':'kl','temperature':'2'}},"
    "{'name':'t5/ce','doc':'d','sets':{'loss':'ce+kl'}},"
    "{'name':'f4/slow','doc':'d','sets':{'lr':'0.01'}},"
    "{'name':'f4/fast','doc':'d','sets':{'lr':'0.1'}}]},'stages':["
    "{'name':'teacher','revision':1,'doc':'d','after':[],'params':[" TEACHER "]},"
    "{'name':'mask','revision':1,'doc':'d','after':['teacher']," SKIP
    "'params':[" TEACHER "," BUDGET "," TEMPERATURE "," HALF "]},"
    "{'name':'finetune','revision':1,'doc':'d','after':['teacher','mask']," SKIP
    "'params':[" TEACHER "," BUDGET "," TEMPERATURE "," LOSS "]},"
    "{'name':'evaluate','revision':1,'doc':'d','after':['finetune'],'gives':["
    "{'metric':'CA'},{'metric':'AdvA'},{'metric':'mCE'},{'metric':'macs'},{'metric':'relus'},{'metric':'class/*/CA'}],"
    "'params':[" DATASET "," MODEL "," EVALUATE "]}]},"
    "{'name':'senet','doc':'plain','source':'paper','stages':["
    "{'name':'teacher','revision':1,'doc':'d','after':[],'params':[" TEACHER "]},"
    "{'name':'mask','revision':1,'doc':'d','after':['teacher'],'params':[" TEACHER
    "," BUDGET ",{'name':'lam','type':'real','default':'0.9','min':0,'max':1,"
    "'doc':'weight'}]}]}],"
    "'limits':[{'param':'relu_budget','by':['model','dataset'],'unit':'ReLUs',"
    "'table':{'resnet18/fashion-mnist':{'min':17,'max':557056},"
    "'resnet18/cifar100':{'min':17,'max':557056},"
    "'resnet18/synthetic':{'min':17,'max':557056},"
    "'resnet10-w16/fashion-mnist':{'min':9,'max':81920}}}]}";

int
fixture_setup(void **state)
{
    char *text = strdup(catalog_text);
    struct err err = {0};
    json_t *doc;

    (void)state;
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    if (json_parse(&doc, text, strlen(text), "fixture", &err) != 0
        || catalog_read(&fixture_catalog, doc, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(doc);
    free(text);
    return 0;
}

int
fixture_teardown(void **state)
{
    (void)state;
    catalog_release(&fixture_catalog);
    return 0;
}

static int
parse(struct sweep **out, const char *text, const char *sets, struct err *err)
{
    const struct sweep_options options = {.sets = sets, .max_cells = 100000};

    return sweep_parse(out, text, strlen(text), "t.yaml", &fixture_catalog, &options,
                       err);
}

struct sweep *
fixture_sweep(const char *text, const char *sets)
{
    struct err err = {0};
    struct sweep *s;

    if (parse(&s, text, sets, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

void
fixture_fails(const char *text, const char *sets, const char *expected)
{
    const size_t n = strlen(expected);
    struct err err = {0};
    struct sweep *s;

    if (parse(&s, text, sets, &err) == 0) {
        sweep_free(s);
        fail_msg("no error, but expected: %s", expected);
    }
    assert_int_equal(err.kind, ERR_USAGE);
    if (n > 3 && strcmp(expected + n - 3, "...") == 0
        && strncmp(err.text, expected, n - 3) == 0)
        return;
    assert_string_equal(err.text, expected);
}

char *
fixture_cells(const struct sweep *s)
{
    struct buf out = {0};

    for (size_t i = 0; i < s->n_cells; i++) {
        const char *space = "";
        for (size_t a = 0; a < json_array_size(s->axes); a++) {
            const char *name = json_string_value(json_array_get(s->axes, a));
            const json_t *v = sweep_value(s, i, name, true);
            if (v == NULL)
                continue;
            char *text =
                json_is_string(v) ? strdup(json_string_value(v)) : json_canonical(v);
            buf_printf(&out, "%s%s=%s", space, name, text);
            free(text);
            space = " ";
        }
        buf_putc(&out, '\n');
    }
    return buf_take(&out);
}

void
fixture_expands(const char *text, const char *sets, const char *golden)
{
    struct sweep *s = fixture_sweep(text, sets);
    char *cells = fixture_cells(s);

    assert_string_equal(cells, golden);
    free(cells);
    sweep_free(s);
}
