/* catalog_fuzz.c - catalogues, which come from workers: an error, or one whose every
 * row can be looked up. */
#include <assert.h>

#include "shared/spec/catalog.h"
#include "tests/fuzz/fuzz.h"

static bool
has_none(const void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == '\0';
}

static void
look_up(const struct catalog *c, const struct catalog_method *m)
{
    assert(catalog_find_method(c, m->name) != NULL);
    for (size_t s = 0; s < m->n_stages; s++) {
        const struct catalog_stage *stage = &m->stages[s];
        assert(catalog_find_stage(m, stage->name) != NULL);
        for (size_t p = 0; p < stage->n_params; p++)
            assert(catalog_find_param(m, stage->params[p].name) != NULL);
        (void)catalog_lacks(stage->gives, m->stages[0].gives, "metric", has_none, NULL);
        (void)catalog_lacks(stage->gives, NULL, "artifact", has_none, NULL);
    }
    (void)catalog_gives_metric(m, "class/3/CA");
    catalog_nearest_metric(m, "CB");
    catalog_nearest_param(m, "sead");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct catalog c;
    struct err err;
    json_t *doc;

    if (json_parse(&doc, (const char *)data, size, "fuzz", &err) != 0)
        return 0;
    if (catalog_read(&c, doc, &err) == 0) {
        for (size_t i = 0; i < c.n_methods; i++)
            look_up(&c, &c.methods[i]);
        catalog_release(&c);
    }
    json_decref(doc);
    return 0;
}
